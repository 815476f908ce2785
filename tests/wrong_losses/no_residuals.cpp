// expect: a loss needs residuals or value: expected `template <class T> void residuals(const T* theta, T* f)
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
