// What moves paths from one observation to the next.
#pragma once

#include "sde/ensemble/method.hpp"
#include "timeline.hpp"

namespace sde::ensemble {

class Stepper {
 public:
  virtual ~Stepper() = default;
  /// Numbers of a path's state, its position first (discrete::StateShape).
  virtual int size() const = 0;
  /// The first `count` lanes are paths, the others need not be moved.
  virtual void use_lanes(int count) { static_cast<void>(count); }
  /// Moves the kLanes paths from number `path` on, x[size][lane], over interval number `interval`; spread[lane] becomes
  /// the disagreement of their workers. Returns the lanes lost on the way, as bits.
  /// Throws Interrupted soon after the run's flag is set, leaving x on the way.
  virtual unsigned advance(LaneState x, std::uint32_t path, std::size_t interval, double* spread) = 0;
  /// The step by which lane `lane` has left the domain on its way through an interval, from x at its beginning, which
  /// becomes the state at that step, and `before` the state one step earlier (the iterate of the worker that left) or,
  /// where only that is known, one round; the end of the interval, with x and `before` as they are, where the stepper
  /// cannot tell.
  virtual long diverged_at(LaneState x, LaneState before, std::uint32_t path, std::size_t interval, int lane) {
    (void)x, (void)before, (void)path, (void)lane;
    return step_after(interval);
  }
  /// Number of the step at the end of an interval.
  virtual long step_after(std::size_t interval) const = 0;
};

/// Throws Interrupted where the flag is set.
inline void stop_if(const std::atomic<bool>* interrupted) {
  if (interrupted && *interrupted) throw Interrupted();
}

/// Whether a state is still in the domain: finite, and no coordinate beyond kDiverged. Component k is x[k * stride].
bool in_domain(const double* x, int dim, int stride = 1);

}  // namespace sde::ensemble
