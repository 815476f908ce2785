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
  virtual unsigned advance(LaneState x, std::uint32_t path, std::size_t interval, double* spread) = 0;
  /// Number of the step at the end of an interval.
  virtual long step_after(std::size_t interval) const = 0;
};

/// The arguments must outlive the mover.
std::unique_ptr<Mover> make_mover(const Problem&, const Method&, const Timeline&, const SlowClock&);

}  // namespace sde::ensemble
