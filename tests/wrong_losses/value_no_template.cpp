// expect: residuals or value is not a template
#include "sde/loss/check.hpp"

struct Wrong {
  int dim() const { return 2; }
  double value(const double* theta) const { return theta[0] * theta[0]; }
};

constexpr bool ok = sde::loss::Checked<Wrong>::ok;  // as make_model asks
