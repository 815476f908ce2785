// expect: branches on a comparison of its numbers T
#include "sde/loss/derivatives.hpp"

struct Wrong {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = theta[0] > 0 && theta[1] > 0 ? theta[0] : theta[1];
  }
};

void jacobian(const sde::Real* theta, sde::Real* J) { sde::loss::jacobian(Wrong{}, theta, J); }
