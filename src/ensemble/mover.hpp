// What moves paths from one observation to the next: one class for each kind of method.
#pragma once

#include "sde/ensemble/method.hpp"
#include "timeline.hpp"

namespace sde::ensemble {

class Mover {
 public:
  virtual ~Mover() = default;
  /// Moves the kLanes paths from number `path` on, x[d][lane], over interval number `interval`; spread[lane] becomes
  /// the disagreement of their workers. Returns the lanes lost on the way, as bits.
  /// Throws Interrupted soon after the control's flag is set, leaving x on the way.
  virtual unsigned advance(LaneState x, std::uint32_t path, std::size_t interval, double* spread) = 0;
  /// The step by which lane `lane` has left the domain on its way through an interval, from x at its beginning (which
  /// is overwritten); the end of the interval where the mover cannot tell.
  virtual long diverged_at(LaneState x, std::uint32_t path, std::size_t interval, int lane) {
    (void)x, (void)path, (void)lane;
    return step_after(interval);
  }
  /// Number of the step at the end of an interval.
  virtual long step_after(std::size_t interval) const = 0;
};

/// The arguments must outlive the mover.
std::unique_ptr<Mover> make_mover(const Problem&, const Method&, const Timeline&, const SlowClock&,
                                  const std::atomic<bool>* interrupted);

/// Whether a state is still in the domain: finite, and no coordinate beyond kDiverged. Component k is x[k * stride].
bool in_domain(const double* x, int dim, int stride = 1);

}  // namespace sde::ensemble
