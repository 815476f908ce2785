// Time steps of the slow SDEs (theory.md section 3): move in the tangent space, then retract onto Gamma. The retraction
// supplies the normal Ito term.
//   Euler-Maruyama          xi ~ N(0, 1)                    weak order 1
//   simplified weak Euler   xi = +-1 with probability 1/2   weak order 1, one random bit a component
#pragma once

#include <cmath>

#include "sde/random/streams.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {

/// Gaussian increments, or +-1 for expectations: both of weak order 1.
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

/// move[d] = drift dt + P_par A xi sqrt(dt/B) at x[d]; draw() gives the components of xi.
template <class Geometry, class T, class Draw, class Team = Solo>
SDE_INLINE void tangent_move(Geometry& geometry, const T* x, T* move, const Prepared& p, double dt, Draw&& draw,
                             const Team& team = {}) {
  if constexpr (requires { geometry.tangent_move(x, p, dt, draw, move); }) {
    geometry.tangent_move(x, p, dt, draw, move);
  } else {
    geometry.compute(x);
    geometry.contract(Term::drift, p, move);
    team.each(geometry.d, [&](int k) { move[k] *= T(dt); });
    geometry.diffuse(T(std::sqrt(dt / p.diffusion_batch())), draw, move);
  }
}

/// One step of length dt: x[d] <- retraction of x + tangent move. move[d] is left holding the move; `lost` gathers the
/// lanes where the retraction failed.
template <class Geometry, class T, class Draw, class MaskType, class Team = Solo>
SDE_INLINE void step(Geometry& geometry, T* x, T* move, const Prepared& p, double dt, Draw&& draw, bool retract,
                     MaskType& lost, const Team& team = {}) {
  tangent_move(geometry, x, move, p, dt, draw, team);
  team.each(geometry.d, [&](int k) { x[k] += move[k]; });
  if (retract) lost = lost | geometry.retract(x);
}

/// The same step with given increments: column(s) is that of column s, of mean 0 and variance 1.
template <class Geometry, class T, class Column, class MaskType>
SDE_INLINE void given_step(Geometry& geometry, T* x, T* move, const Prepared& p, double dt, Column&& column,
                           MaskType& lost) {
  int next = 0;
  step(
      geometry, x, move, p, dt, [&] { return column(next++); }, true, lost);
}
/// out[d] = P_par A xi sqrt(dt/B) of the step that given_step() has made: the part of its move whose mean is zero.
template <class Geometry, class T, class Column>
SDE_INLINE void martingale(Geometry& geometry, const Parameters& p, double dt, Column&& column, T* out) {
  int next = 0;
  for (int k = 0; k < geometry.d; ++k) out[k] = T(0.0);
  geometry.diffuse(
      T(std::sqrt(dt / p.diffusion_batch())), [&] { return column(next++); }, out);
}

/// Advances x[d] on Gamma by `steps`, with draws of its own.
template <class Geometry, class T, class MaskType, class Team = Solo>
SDE_DEVICE void advance(Geometry& geometry, T* x, T* move, const random::StreamKey& key, const Steps& all,
                        MaskType& lost, const Team& team = {}) {
  const Steps steps = all;  // a copy that no store of the loop can change
  const auto first =
      static_cast<std::uint64_t>(steps.first_step) * static_cast<std::uint64_t>(geometry.noise_dimension());
  const Prepared parameters(steps.parameters);
  const auto march = [&](auto& stream) {
    const auto draw = [&] { return stream.next(); };
    for (std::int64_t s = 0; s < steps.count; ++s)
      step(geometry, x, move, parameters, steps.dt, draw, steps.retract, lost, team);
  };
  if (steps.integrator == Integrator::weak_euler) {
    random::SignStream<T> signs(key, random::Purpose::slow, first);
    march(signs);
  } else {
    random::TeamNormals<T, Team> normals(key, random::Purpose::slow, first, team);
    march(normals);
  }
}

}  // namespace sde::slow
