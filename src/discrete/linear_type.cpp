#include "sde/discrete/linear_type.hpp"

#include <algorithm>
#include <cmath>

#include "sde/discrete/linear_program.hpp"
#include "sde/slow/linear_algorithm.hpp"
#include "sde/slow/tabulated_weights.hpp"

namespace sde::discrete {

LinearRule LinearType::rule(const Algorithm& a) {
  const auto& type = static_cast<const LinearType&>(*a.type);
  return linear_rule(type.matrices(a), type.observed(a));
}

std::vector<double> LinearType::observed(const Algorithm& a) const {
  const auto m = matrices(a);
  Eigen::VectorXd all = m.period.front().R.colwise().sum().transpose();
  all /= all.dot(m.consensus);
  return {all.begin(), all.end()};
}

std::vector<double> LinearType::slow_variable(const Algorithm& a, std::int64_t step) const {
  const auto m = matrices(a);
  std::int64_t period = 0;  // its steps with gradients
  for (const auto& s : m.period) period += s.R.rows() > 0;
  const auto l = slow::conserved(m, step % period);
  // Deviations from what is observed have the observed combination 0: where l is that, they add up to nothing.
  const auto seen = observed(a);
  double apart = 0;
  for (std::size_t s = 0; s < seen.size(); ++s)
    apart = std::max(apart, std::abs(l[static_cast<Eigen::Index>(s)] - seen[s]));
  return apart < 1e-12 ? std::vector<double>{} : std::vector<double>(l.begin(), l.end());
}

const slow::TabulatedWeights& LinearType::weights(const Algorithm& a, std::int64_t) const {
  return slow::tabulated(matrices(a));
}

}  // namespace sde::discrete
