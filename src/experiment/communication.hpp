// How often the workers of a run communicated.
#pragma once

#include <cmath>
#include <optional>

#include "sde/ensemble/method.hpp"

namespace sde::experiment {

/// Rounds of communication of a path (discrete::Algorithm::communication_rounds) whose last observation is at
/// `slow_time`; nothing for an SDE. Under a rate that changes all steps of the schedule are run.
inline std::optional<std::int64_t> communication_rounds(const ensemble::Method& m, double slow_time) {
  if (!m.dynamics->is_algorithm()) return std::nullopt;
  const auto& a = m.algorithm;
  return a.communication_rounds(a.rate.is_constant() ? std::llround(slow_time / a.slow_time(a.rate.eta))
                                                     : a.rate.steps);
}

}  // namespace sde::experiment
