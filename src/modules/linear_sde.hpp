// dX = 1.5 X dt + 0.01 X dW in three components, 256 steps to t = 1, from X = 1: design's yardstick.
#pragma once

#include <cmath>

#include "sde/random/streams.hpp"

namespace sde::bench {

inline constexpr int kLinearComponents = 3, kLinearSteps = 256;

/// x becomes the end of the paths whose increments `draws` gives.
template <class Draws, class T>
SDE_INLINE void linear_sde(Draws& draws, T (&x)[kLinearComponents]) {
  constexpr double dt = 1.0 / kLinearSteps, noise = 0.01 / 16;  // 0.01 sqrt(dt)
  for (auto& v : x) v = T(1.0);
  for (int s = 0; s < kLinearSteps; ++s) SDE_UNROLL
  for (auto& v : x) v += v * (T(1.5 * dt) + T(noise) * draws.next());
}

}  // namespace sde::bench
