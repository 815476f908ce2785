#include "sde/discrete/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sde::discrete {

double LearningRate::operator()(std::int64_t k) const {
  if (k < warmup) return eta * static_cast<double>(k + 1) / static_cast<double>(warmup);
  const double progress = steps > warmup ? static_cast<double>(k - warmup) / static_cast<double>(steps - warmup) : 1.0;
  switch (kind) {
    case Kind::constant:
      return eta;
    case Kind::step: {
      double rate = eta;
      for (const double m : milestones)
        if (static_cast<double>(k) >= m * static_cast<double>(steps)) rate *= factor;
      return rate;
    }
    case Kind::cosine:
      return eta * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * std::min(progress, 1.0))));
    case Kind::linear:
      return eta * (floor + (1 - floor) * (1 - std::min(progress, 1.0)));
  }
  return eta;
}

double LearningRate::slow_time() const {
  if (is_constant()) return eta * eta * static_cast<double>(steps);
  double sum = 0;
  for (std::int64_t k = 0; k < steps; ++k) {
    const double rate = (*this)(k);
    sum += rate * rate;
  }
  return sum;
}

void LearningRate::fit_steps(double time) {
  steps = std::max<std::int64_t>(1, std::llround(time / (eta * eta)));
  if (is_constant()) return;
  // The shape is fixed in progress k/steps, so slow time is nearly proportional to steps; warm-up is a correction.
  for (int round = 0; round < 8; ++round) {
    const double reached = slow_time();
    const double missing = (time - reached) / (reached / static_cast<double>(steps));
    if (std::abs(missing) < 1) break;
    steps = std::max<std::int64_t>(1, steps + std::llround(missing));
  }
}

std::int64_t Synchronization::operator()(std::int64_t k, double eta) const {
  if (!local(k)) return 1;
  if (kind == Kind::constant) return H;
  constexpr double kLongest = 1e9;  // where eta decays to 0
  const double ratio = beta / eta;
  return std::max(H,
                  static_cast<std::int64_t>(std::min(kLongest, std::floor(kind == Kind::qsr ? ratio * ratio : ratio))));
}

}  // namespace sde::discrete
