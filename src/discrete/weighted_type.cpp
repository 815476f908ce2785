#include "sde/discrete/weighted_type.hpp"

#include "sde/slow/tabulated_weights.hpp"

namespace sde::discrete {

slow::Parameters WeightedType::slow_sde(const Algorithm& a, std::int64_t k) const {
  const std::int64_t H = period(a, k);
  const double eta = a.rate(k);
  return weights(a, H).parameters(eta, static_cast<double>(a.batch) / a.workers, a.workers,
                                  eta * static_cast<double>(H));
}

double WeightedType::stable_below(const Algorithm& a) const {
  return weights(a, a.peak_steps_in_round()).stable_below();
}

double WeightedType::slow_time_factor(const Algorithm& a) const {
  const double c = weights(a, a.peak_steps_in_round()).exact().effective_rate();
  return c * c;
}

}  // namespace sde::discrete
