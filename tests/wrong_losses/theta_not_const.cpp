// expect: residuals or value takes a theta that it could write to
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(T* theta, T* f) const {
    theta[0] = theta[0] * theta[1];
    f[0] = theta[0] - 1.0;
  }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
