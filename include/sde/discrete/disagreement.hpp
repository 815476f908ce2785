// How far the workers are apart at a synchronization.
#pragma once

#include "sde/core/math.hpp"

namespace sde::discrete {

/// Root mean square distance of K workers from their average, from their displacements u_k from a common start: small
/// numbers, no cancellation. squares = sum_k |u_k|^2, mean_square = |mean of u_k|^2, inverse = 1/K.
template <class T>
SDE_INLINE T disagreement(const T& squares, const T& mean_square, const T& inverse) {
  const T variance = squares * inverse - mean_square;
  return sqrt(select(variance < T(0.0), T(0.0), variance));
}

}  // namespace sde::discrete
