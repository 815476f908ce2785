// A model that is known at single points of R^d alone: too large for its Hessian's spectrum, without a flow to Gamma.
// Its paths are observed where they are, and what is said of curvature comes from Hessian-vector products.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sde/loss/noise.hpp"

namespace sde {

/// Observes points for one thread.
class PointObserver {
 public:
  virtual ~PointObserver() = default;
  /// values[PointModel::names().size()] at theta[d]. Estimators draw from (seed, path, time).
  virtual void operator()(const double* theta, std::uint64_t seed, std::uint32_t path, std::uint32_t time,
                          double* values) = 0;
};

/// What such a model has beside a LossModel's gradients.
class PointModel {
 public:
  virtual ~PointModel() = default;
  /// Samples of the sum that the loss is.
  virtual int sample_count() const = 0;
  /// Of the samples' labels.
  virtual int classes() const = 0;
  /// What is observed beside the workers' disagreement, in order; "trace_hessian" and "test_error" are among them.
  virtual const std::vector<std::string>& names() const = 0;
  /// Under this noise the loss is the mean over its labels, too.
  virtual std::unique_ptr<PointObserver> observer(const Noise&) const = 0;
  /// In a line, for tables and datasets: "perceptron 64-32-10 ..., 2410 parameters, ...".
  virtual std::string describe() const = 0;
};

}  // namespace sde
