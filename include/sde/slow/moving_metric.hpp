// The metric of adaptive methods (theory.md section 10): S = diag(1/(v^power + epsilon)), with v a slow variable beside
// zeta,  dv/dt = c (diag Sigma(zeta)/b - v).
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "sde/slow/lane_metric.hpp"

namespace sde::slow {

/// Plain values.
struct MovingMetric {
  double c = 0;  ///< 0: v stays what it is
  double epsilon = 0, power = 0.5;
  double batch = 1;       ///< b, of one gradient
  Eigen::VectorXd start;  ///< v(0)

  /// S^(1/2) at v.
  Eigen::VectorXd root(const Eigen::VectorXd& v) const {
    return (v.array().max(0.0).pow(power) + epsilon).rsqrt().matrix();
  }
  /// As kernels read it: v(0) stands here.
  MetricNumbers numbers() const { return {c, epsilon, power, batch, start.data()}; }
};

}  // namespace sde::slow
