// Where a method is observed, and what alpha and eta are at a slow time.
#pragma once

#include "sde/ensemble/method.hpp"

namespace sde::ensemble {

/// The ends of rounds nearest to the wanted slow times.
struct Timeline {
  std::vector<std::int64_t> steps;
  std::vector<double> slow_time;
};
Timeline observe_at_rounds(const discrete::LocalSgd& algorithm, const std::vector<double>& times);

/// Parameters of a slow SDE as a function of slow time, following the schedules of the algorithm that it describes.
class SlowClock {
 public:
  explicit SlowClock(const Method& method);
  slow::Parameters at(double slow_time) const;
  bool constant() const { return constant_; }

 private:
  slow::Parameters from(std::int64_t step) const;
  const Method& method_;
  bool constant_;
  std::vector<double> time_;
  std::vector<std::int64_t> step_;
};

}  // namespace sde::ensemble
