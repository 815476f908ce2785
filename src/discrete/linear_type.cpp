#include "sde/discrete/linear_type.hpp"

#include "sde/discrete/linear_program.hpp"
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

const slow::TabulatedWeights& LinearType::weights(const Algorithm& a, std::int64_t) const {
  return slow::tabulated(matrices(a));
}

}  // namespace sde::discrete
