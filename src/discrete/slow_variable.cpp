#include "sde/discrete/slow_variable.hpp"

#include <cmath>

#include "sde/discrete/adaptive_type.hpp"
#include "sde/discrete/delayed_sgd.hpp"
#include "sde/discrete/momentum_type.hpp"
#include "sde/slow/linear_algorithm.hpp"

namespace sde::discrete {

namespace {

/// u, then v of each worker: between rounds workers and anchor are at x, and the slot of a worker's momentum is w =
/// -eta v.
std::vector<double> of_momenta(const Algorithm& a, std::int64_t step) {
  const std::int64_t H = a.round(step).synchronizes ? a.H(step) : 1;
  const auto l = slow::conserved(slow::average_of(MomentumType::rule(a).matrices(H)));
  std::vector<double> weights(1, l[3]);
  weights.resize(1 + static_cast<std::size_t>(a.workers), -a.rate(step) * l[1] / a.workers);
  return weights;
}

/// Every slot less what is observed.
std::vector<double> of_slots(const LinearType& type, const Algorithm& a, std::int64_t step) {
  const auto m = type.matrices(a);
  std::int64_t period = 0;  // its steps with gradients
  for (const auto& s : m.period) period += s.R.rows() > 0;
  const auto l = slow::conserved(m, step % period);
  return {l.begin(), l.end()};
}

/// v - v(0) and m of each worker.
std::vector<double> of_adaptive(const Algorithm& a, std::int64_t step) {
  const double beta1 = a.parameters.at(0);
  std::vector<double> weights;
  for (int w = 0; w < a.workers; ++w) {
    weights.push_back(0);
    weights.push_back(-a.rate(step) * beta1 / (1 - beta1) / a.workers);
  }
  return weights;
}

bool is_0(const std::vector<double>& weights) {
  for (const double w : weights)
    if (w != 0) return false;
  return true;
}

}  // namespace

std::vector<double> slow_variable(const Algorithm& a, std::int64_t step) {
  std::vector<double> weights;
  if (dynamic_cast<const MomentumType*>(a.type)) {
    weights = of_momenta(a, step);
  } else if (dynamic_cast<const DelayedSgd*>(a.type)) {
    return {};  // the newest iterate, which is the position
  } else if (const auto* linear = dynamic_cast<const LinearType*>(a.type)) {
    weights = of_slots(*linear, a, step);
    // Deviations from what is observed have the observed combination 0: where l is that, they add up to nothing.
    const auto observed = linear->observed(a);
    double apart = 0;
    for (std::size_t s = 0; s < weights.size(); ++s) apart = std::max(apart, std::abs(weights[s] - observed[s]));
    if (apart < 1e-12) return {};
  } else if (dynamic_cast<const AdaptiveType*>(a.type)) {
    weights = of_adaptive(a, step);
  }
  return is_0(weights) ? std::vector<double>{} : weights;
}

}  // namespace sde::discrete
