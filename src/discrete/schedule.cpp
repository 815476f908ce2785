#include "sde/discrete/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

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
  const double most = is_constant() ? kMostSteps : kMostChanging;
  const auto refuse = [&](double least) {
    throw std::invalid_argument(
        fmt::format("slow time {} takes at least {:.3g} steps, more than the {:.3g} that are "
                    "allowed: expected a larger eta, a shorter warmup, or a shorter time",
                    time, least, most));
  };
  const double least = time / (eta * eta);  // no schedule exceeds eta
  if (!(least <= most)) refuse(least);
  steps = std::max<std::int64_t>(1, std::llround(least));
  if (is_constant()) return;
  // Slow time increases with `steps`, nearly in proportion but for the warm-up: steps by proportion, kept in a bracket.
  std::int64_t low = 0, high = 0;  // high = 0: none yet
  for (;;) {
    const double reached = slow_time(), missing = (time - reached) / (reached / static_cast<double>(steps));
    if (std::abs(missing) < 1) return;
    (missing > 0 ? low : high) = steps;
    if (high > 0 && high - low <= 1) {
      steps = high;
      return;
    }
    double next = static_cast<double>(steps) + missing;
    if (high > 0 && !(next > static_cast<double>(low) && next < static_cast<double>(high)))
      next = 0.5 * static_cast<double>(low + high);
    if (high == 0) next = std::min(next, 4.0 * static_cast<double>(steps));
    if (!(next <= most)) refuse(next);
    steps = std::max<std::int64_t>(low + 1, std::llround(next));
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
