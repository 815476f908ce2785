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

slow::Parameters LinearType::slow_sde(const Algorithm& a, std::int64_t k) const {
  const double eta = a.rate(k);
  return slow::tabulated(matrices(a)).parameters(eta, static_cast<double>(a.batch) / a.workers, a.workers, eta);
}

double LinearType::stable_below(const Algorithm& a) const {
  const auto& w = slow::tabulated(matrices(a));
  return w.stable_below();
}

double LinearType::slow_time_factor(const Algorithm& a) const {
  const double c = slow::tabulated(matrices(a)).exact().effective_rate();
  return c * c;
}

}  // namespace sde::discrete
