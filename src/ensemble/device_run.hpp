// The paths of a method on a GPU: they advance there, tile by tile, and are observed from here.
#pragma once

#include "timeline.hpp"

namespace sde::ensemble {

/// Whether a GPU advances this method: discrete algorithms, conventional SDEs, and slow SDEs of squared losses with
/// Newton's retraction. Slow ODEs, coupled slow SDEs and retraction by the flow map stay on the CPU.
bool runs_on_device(const Problem&, const Method&);

/// Goes on from `state`, whose merged blocks count, until all are merged (true) or control.interrupted is set
/// (false): then the tile on its way is dropped.
bool resume_on_device(const Problem&, const Method&, const Observation&, const Control&, const Timeline&,
                      const SlowClock&, MethodState& state);

}  // namespace sde::ensemble
