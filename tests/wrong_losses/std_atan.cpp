// expect: calls a function of namespace std with its numbers T: expected exp, log
#include "sde/loss/derivatives.hpp"

#include <cmath>

struct Wrong {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = std::atan(theta[0]) + theta[1] - 1.0;
  }
};

void jacobian(const sde::Real* theta, sde::Real* J) { sde::loss::jacobian(Wrong{}, theta, J); }
