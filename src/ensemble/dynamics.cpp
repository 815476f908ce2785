#include "sde/ensemble/dynamics.hpp"

#include <cmath>

#include "stepper.hpp"

namespace sde::ensemble {

discrete::Algorithm Dynamics::algorithm(const Method& m) const { return m.algorithm; }

slow::Parameters Dynamics::parameters(const Method& m, std::int64_t k) const {
  const auto& a = m.algorithm;
  auto p = takes_limit() ? a.type->limit_sde(a, k) : a.type->slow_sde(a, k);
  p.factors = m.factors;
  return p;
}

const std::vector<const Dynamics*>& all_dynamics() {
  static const std::vector<const Dynamics*> all{&discrete_algorithm(), &conventional_sde(), &slow_sde(), &slow_ode(),
                                                &coupled_slow_sdes()};
  return all;
}

bool in_domain(const double* x, int dim, int stride) {
  for (int k = 0; k < dim; ++k)
    if (!(std::abs(x[k * stride]) < kDiverged)) return false;
  return true;
}

}  // namespace sde::ensemble
