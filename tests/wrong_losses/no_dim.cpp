// expect: a loss needs dim: expected `int dim() const`
#include "sde/loss/check.hpp"

struct Wrong {
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = theta[0] * theta[1] - 1.0;
  }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
