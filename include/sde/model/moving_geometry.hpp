// The slow SDE of adaptive methods (theory.md section 10): that of SGD or Local SGD in a metric that moves with the
// path.
#pragma once

#include "sde/model/dense_geometry.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::slow {

/// The terms at a point with its v, and how v moves. By the dense Hessian, in double, path by path.
class MovingGeometry {
 public:
  MovingGeometry(const LossModel&, const Noise&, MovingMetric);
  /// The terms at x[d] in the metric of v[d], in the coordinates theta.
  DenseGeometry& at(const double* x, const Vector& v);
  /// dv/dt there: c (diag Sigma/b - v).
  Vector velocity(const double* x, const Vector& v) const;
  const MovingMetric& metric() const { return metric_; }

 private:
  const LossModel& model_;
  const Noise noise_;
  const MovingMetric metric_;
  DenseGeometry geometry_;
};

/// The stepping loop of paths (theta, v - v(0)) through MovingGeometry: x has 2 d rows.
std::unique_ptr<SlowKernel> dense_metric_kernel(const LossModel&, const Noise&, const MovingMetric&);
/// The slow SDE's kernel of a loss in a metric: in lanes through its residuals where they vanish on Gamma
/// (`interpolating`), or through its Hessian where it has none and few dimensions; else the dense one, in double.
std::unique_ptr<SlowKernel> metric_slow_kernel(const LossModel&, const Noise&, const MovingMetric&, bool interpolating,
                                               Precision precision = Precision::full);

}  // namespace sde::slow
