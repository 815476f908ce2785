// expect: passing 'const|assignment of read-only location|read-only variable is not assignable|no viable overloaded '='
// lines: any
#include "sde/loss/derivatives.hpp"

struct Wrong {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    theta[0] = theta[0] * theta[1];
    f[0] = theta[0] - 1.0;
  }
};

void jacobian(const sde::Real* theta, sde::Real* out) { sde::loss::jacobian(Wrong{}, theta, out); }
