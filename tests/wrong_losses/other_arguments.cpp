// expect: residuals has another form: expected `template <class T> void residuals(const T* theta, T* f) const`
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  T residuals(const T& x, const T& y) const {
    return x * y - 1.0;
  }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
