// expect: jacobian has another form: expected `template <class T> void jacobian(const T* theta, T* J) const`
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* theta, T* f) const {
    f[0] = theta[0] * theta[1] - 1.0;
  }
  template <class T>
  void jacobian(const T* theta, T* J, int n) const {
    J[n] = theta[0];
  }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
