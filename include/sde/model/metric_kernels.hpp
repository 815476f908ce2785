// What make_model.hpp compiles for a loss's slow SDE in a metric that moves with the path: what its step loop over
// packs has beside the plain one's.
#pragma once

#include "sde/model/slow_kernels.hpp"
#include "sde/slow/in_metric.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {  // what it compiles depends on the register width

namespace model_detail {

/// Of paths (theta, v - v(0)): 2 d rows.
template <Loss L, class T>
class MetricFrame {
  const slow::MovingMetric metric_;
  const slow::MetricNumbers numbers_ = metric_.numbers();

 public:
  slow::InMetric<L, T> geometry;

  MetricFrame(const L& loss, const NoiseView<scalar_of<T>>& noise, const slow::MovingMetric& metric)
      : metric_(metric), geometry(loss, noise, numbers_) {}
  void begin(LaneState x, int first, double dt, T* kept) {
    load_state(x + geometry.d * kLanes, first, geometry.d, kept);
    geometry.begin(kept, numbers_.gain(dt));
  }
  void end(LaneState x, int first, T* kept) {
    geometry.end(kept);
    store_state(kept, first, geometry.d, x + geometry.d * kLanes);
  }
};
template <Loss L, class S>
using MetricKernelOf = SlowKernelIn<L, S, MetricFrame<L, PackFor<L, S>>>;

}  // namespace model_detail

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
