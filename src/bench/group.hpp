// Paths that a work advances together: kLanes of them on the CPU, a tile of many on a GPU.
#pragma once

#include <memory>

#include "observable.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::bench {

class Group {
 public:
  virtual ~Group() = default;
  virtual long paths() const = 0;
  /// Paths first, first + 1, ... from the problem's start on Gamma to their ends, what is observed of which `ends`
  /// gains.
  virtual void run(std::uint32_t first, const Observable& observable, stats::Moments* ends) = 0;
};

/// On device number `device`, or the CPU where it is -1. The problem must outlive the group.
std::unique_ptr<Group> slow_group(const ensemble::Problem&, const slow::Steps&, std::uint64_t seed, Precision,
                                  int device);
/// The same in a metric that moves with the path.
std::unique_ptr<Group> metric_group(const ensemble::Problem&, const slow::MovingMetric&, const slow::Steps&,
                                    std::uint64_t seed, Precision, int device);
/// From step 0 to `steps`.
std::unique_ptr<Group> discrete_group(const ensemble::Problem&, const discrete::Algorithm&, std::int64_t steps,
                                      Precision, int device);

}  // namespace sde::bench
