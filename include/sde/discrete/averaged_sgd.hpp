// The update rule that SGD, Local SGD, post-local SGD and QSR share: workers take SGD steps, and are averaged at the
// end of a round.
#pragma once

#include <cstdint>

#include "sde/discrete/position.hpp"

namespace sde::discrete {

/// Steps down the gradient; at the end of a round the mean of the workers.
struct AveragedSgd {
  /// Vectors of R^d that a path keeps beside its position, once, and for each worker.
  static constexpr int kSharedSlots = 0, kWorkerSlots = 0;

  /// A worker's step number k: y <- y - eta g(y), by way of g[d]; slots[kWorkerSlots * d] is what this worker keeps.
  template <class Gradient, class T, class Team>
  SDE_INLINE void step(Gradient& gradient, int /*d*/, const Position<T>& y, T* /*slots*/, T* g, const T& eta,
                       std::int64_t /*k*/, const Team&) const {
    gradient.descend(y, g, eta);
  }
  /// The end of a round: x, where it began, moves by the workers' mean displacement(j), j < d; slots[kSharedSlots * d]
  /// is what the path keeps once.
  template <class T, class Displacement, class Team>
  SDE_INLINE void synchronize(int d, const Position<T>& x, T* /*slots*/, Displacement displacement,
                              const Team& team) const {
    team.each(d, [&](int j) { x.move(j, displacement(j)); });
  }
};

}  // namespace sde::discrete
