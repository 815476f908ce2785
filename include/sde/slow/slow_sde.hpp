// Time steps of the slow SDEs (theory.md section 3): move in the tangent space, then retract onto Gamma. The retraction
// supplies the normal Ito term.
//   Euler-Maruyama          xi ~ N(0, 1)                    weak order 1
//   simplified weak Euler   xi = +-1 with probability 1/2   weak order 1, one random bit a component
#pragma once

#include "sde/random/streams.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {

enum class Integrator { euler_maruyama, weak_euler };

/// Steps from `first_step`, each of length dt, for one group of lanes. `Geometry` evaluates the terms
/// (residual_geometry.hpp or dense_geometry.hpp).
struct Steps {
  Parameters parameters;
  double dt = 0;
  std::int64_t first_step = 0, count = 0;
  Integrator integrator = Integrator::euler_maruyama;
  bool retract = true;  ///< false: the caller retracts after each step (by the flow map)
};

/// Advances x[d] on Gamma. Returns false in the lanes (as a mask) where a retraction failed: `lost` accumulates.
template <class Geometry, class T, class MaskType>
void advance(Geometry& geometry, T* x, T* drift, const random::StreamKey& key, const Steps& steps, MaskType& lost) {
  const int d = geometry.d;
  const auto first =
      static_cast<std::uint64_t>(steps.first_step) * static_cast<std::uint64_t>(geometry.noise_dimension());
  random::NormalStream<T> normals(key, random::Purpose::slow, first);
  random::SignStream<T> signs(key, random::Purpose::slow, first);
  const T dt = T(steps.dt);
  const T scale = sqrt(dt / T(steps.parameters.batch));
  for (std::int64_t s = 0; s < steps.count; ++s) {
    geometry.compute(x);
    geometry.contract(Term::drift, steps.parameters, drift);
    for (int k = 0; k < d; ++k) drift[k] *= dt;
    if (steps.integrator == Integrator::weak_euler)
      geometry.diffuse(
          scale, [&] { return signs.next(); }, drift);
    else
      geometry.diffuse(
          scale, [&] { return normals.next(); }, drift);
    for (int k = 0; k < d; ++k) x[k] += drift[k];
    if (steps.retract) lost = lost | geometry.retract(x);
  }
}

}  // namespace sde::slow
