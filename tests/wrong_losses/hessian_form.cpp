// expect: hessian has another form: expected `template <class T> void hessian(const T* theta, T* H) const`
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  template <class T>
  T value(const T* theta) const {
    return exp(theta[0] * theta[1]);
  }
  template <class T>
  T hessian(const T* theta, int i, int j) const {
    return theta[i] * theta[j];
  }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
