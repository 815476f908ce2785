// expect: calls a function that has no derivative here: expected one made of exp
#include "sde/loss/derivatives.hpp"

#include <cmath>

struct Wrong {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = std::asin(theta[0]) + theta[1] - 1.0;
  }
};

void jacobian(const sde::Real* theta, sde::Real* J) { sde::loss::jacobian(Wrong{}, theta, J); }
