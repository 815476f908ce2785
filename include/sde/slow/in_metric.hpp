// The slow SDE of adaptive methods (theory.md section 10) as a step asks for it (slow_sde.hpp): the terms of a loss in
// a metric that moves with each path. dense_geometry.hpp and moving_geometry.hpp are the second implementation.
#pragma once

#include "sde/slow/geometry_of.hpp"
#include "sde/slow/slow_sde.hpp"

namespace sde::slow {

/// A geometry, and v beside it, which moves in each step by what is at its beginning.
template <Loss L, class T, class Team = Solo>
class InMetric {
  using Geometry = GeometryOf<L, T, Team, LaneMetric<T, dim_of<L>, Team>>;

 public:
  SDE_DEVICE InMetric(const L& loss, const NoiseView<scalar_of<T>>& noise, const MetricNumbers& metric,
                      const Team& team = {})
      : d(loss.dim()), noise_(noise), team_(team), geometry_(loss, noise, team, metric) {}

  /// v = v(0) + kept[d], for steps in each of which v takes `gain` (MetricNumbers::gain) of its way.
  SDE_DEVICE void begin(const T* kept, double gain) { geometry_.metric().load(d, kept, gain, noise_, team_); }
  /// kept[d] = v - v(0).
  SDE_DEVICE void end(T* kept) { geometry_.metric().store(d, kept, team_); }

  template <class Draw>
  SDE_INLINE void tangent_move(const T* x, const Prepared& p, double dt, Draw&& draw, T* move) {
    slow::tangent_move(geometry_, x, move, p, dt, draw, team_);
  }
  template <class Draw>
  SDE_INLINE void diffuse(T scale, Draw&& draw, T* out) const {
    geometry_.diffuse(scale, draw, out);
  }
  /// By the normals of the last move.
  SDE_INLINE auto retract(T* x) { return geometry_.retract(x); }
  SDE_DEVICE int noise_dimension() const { return geometry_.noise_dimension(); }

  const Extent<dim_of<L>> d;

 private:
  const NoiseView<scalar_of<T>> noise_;
  const Team team_;
  Geometry geometry_;
};

}  // namespace sde::slow
