// expect: residuals or value is not a template
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  void residuals(const double* theta, double* f) const { f[0] = theta[0] * theta[1] - 1.0; }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
