// Where a method is observed, and what alpha and eta are at a slow time.
#pragma once

#include <algorithm>

#include "sde/ensemble/method.hpp"

namespace sde::ensemble {

/// The ends of rounds nearest to the wanted slow times; the last of a schedule of rates that reaches it is its end.
struct Timeline {
  std::vector<std::int64_t> steps;
  std::vector<double> slow_time;
};
Timeline observe_at_rounds(const discrete::Algorithm& algorithm, const std::vector<double>& times);

/// Number of the first step of each interval of a slow SDE: each has a whole number of equal steps of at most dt; none
/// where two observations are at the same time.
std::vector<std::int64_t> slow_steps(const std::vector<double>& times, double dt);

/// Parameters of a slow SDE as a function of slow time, following the schedules of the algorithm that it describes.
class SlowClock {
 public:
  explicit SlowClock(const Method& method);
  const slow::Parameters& at(double slow_time) const;
  bool constant() const { return constant_; }

  /// Calls advance(steps) for the steps from times[i] to times[i + 1], first[] by slow_steps(), in chunks of at most
  /// `most` steps, and of one where the parameters change.
  template <class Advance>
  void for_each_chunk(const std::vector<double>& times, const std::vector<std::int64_t>& first, std::size_t i,
                      std::int64_t most, Advance advance) const {
    const std::int64_t count = first[i + 1] - first[i];
    slow::Steps steps;
    steps.dt = (times[i + 1] - times[i]) / static_cast<double>(count);
    steps.integrator = method_.integrator;
    for (std::int64_t s = 0; s < count; s += steps.count) {
      steps.count = std::min(constant() ? most : 1, count - s);
      steps.parameters = at(times[i] + (static_cast<double>(s) + 0.5) * steps.dt);
      steps.first_step = first[i] + s;
      advance(steps);
    }
  }

 private:
  slow::Parameters from(std::int64_t step) const;
  const Method& method_;
  bool constant_;
  std::vector<double> time_;
  std::vector<slow::Parameters> parameters_;  ///< from those times on
};

}  // namespace sde::ensemble
