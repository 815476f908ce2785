// LossModel: a loss behind an interface, so that experiments choose it at run time. The hot loops stay inside: one
// virtual call advances a group of paths over many steps. make_model.hpp instantiates it for a loss.
#pragma once

#include <functional>
#include <memory>

#include "sde/discrete/round_loop.hpp"
#include "sde/model/device_model.hpp"
#include "sde/slow/point_terms.hpp"
#include "sde/slow/slow_sde.hpp"

namespace sde {

/// State of kLanes paths, component-major: x[k * kLanes + lane], k < discrete::StateShape::size() of an algorithm, or
/// d.
using LaneState = double*;

class PointModel;

/// A discrete algorithm (or a conventional SDE) advancing kLanes paths.
class DiscreteKernel {
 public:
  virtual ~DiscreteKernel() = default;
  virtual discrete::StateShape shape() const = 0;
  /// The first `count` lanes are paths: others need not be advanced from here on.
  virtual void use_lanes(int count) { static_cast<void>(count); }
  /// From step `from` to `to`, both ends of rounds; spread[kLanes]: workers' rms distance from their average.
  virtual void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread) = 0;
};

/// A discrete algorithm that also keeps what it drew: sums[columns * kLanes] gains, for each column that was asked for,
/// the draws of variance 1 (loss/innovations.hpp) of all steps and workers.
class RecordingKernel {
 public:
  virtual ~RecordingKernel() = default;
  virtual discrete::StateShape shape() const = 0;
  virtual void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread,
                       double* sums) = 0;
};

/// A slow SDE advancing kLanes paths on Gamma.
class SlowKernel {
 public:
  virtual ~SlowKernel() = default;
  /// The first `count` lanes are paths: others need not be advanced from here on.
  virtual void use_lanes(int count) { static_cast<void>(count); }
  /// Returns a bit for each lane whose retraction failed.
  virtual unsigned advance(LaneState x, const random::StreamKey& key, const slow::Steps& steps) = 0;
  /// The columns that a step has increments for.
  virtual Innovations innovations() const = 0;
  /// One step with given increments xi[innovations().count() * kLanes] (unit variance); martingale[d * kLanes] becomes
  /// its diffusion part P_par A xi sqrt(dt/B), whose mean is zero.
  virtual unsigned step(LaneState x, const slow::Parameters& p, double dt, const double* xi, double* martingale) = 0;
};

/// A loss behind an interface, with its kernels compiled for this machine; shared by threads.
class LossModel {
 public:
  virtual ~LossModel() = default;
  virtual int dim() const = 0;
  /// n of a squared loss, 0 for any other.
  virtual int residual_count() const = 0;
  virtual double value(const double* x) const = 0;
  virtual void gradient(const double* x, double* g) const = 0;
  virtual void hessian_vector(const double* x, const double* u, double* out) const = 0;
  /// H[d*d] = Hess(L), symmetric but for rounding.
  virtual void hessian(const double* x, double* H) const = 0;
  /// D3L[u u^T]
  virtual void third_along(const double* x, const double* u, double* out) const = 0;
  virtual void residuals(const double* x, double* f) const = 0;
  virtual void jacobian(const double* x, double* J) const = 0;
  /// g = J^T w
  virtual void pullback(const double* x, const double* w, double* g) const = 0;
  /// out[d] = sum_i w_i Hess(f_i) u
  virtual void weighted_hessian_vector(const double* x, const double* w, const double* u, double* out) const = 0;
  virtual bool has_test_error() const = 0;
  virtual double test_error(const double* x) const = 0;
  /// Where the loss is known at single points alone, without Gamma (point_model.hpp): how it is observed there. Then
  /// the members above that take more than a gradient's time or memory need not be there.
  virtual const PointModel* at_points() const { return nullptr; }
  /// Which part of the loss or its gradient is not a finite number at x; empty where all are, or where it is not known.
  virtual std::string not_finite(const double*) const { return {}; }

  virtual std::unique_ptr<DiscreteKernel> discrete_kernel(const Noise&, const discrete::Algorithm&,
                                                          Precision = Precision::full) const = 0;
  /// Keeps the draws of the columns `recorded`. Throws as check_recordable().
  virtual std::unique_ptr<RecordingKernel> recording_kernel(const Noise&, const discrete::Algorithm&,
                                                            const Innovations& recorded) const = 0;
  /// For a squared loss that interpolates on Gamma.
  virtual std::unique_ptr<SlowKernel> residual_slow_kernel(const Noise&, Precision = Precision::full) const = 0;
  virtual std::unique_ptr<slow::PointTerms> residual_terms(const Noise&) const = 0;
  /// For a loss without residuals, of at most slow::kHessianDimensions dimensions, in double; empty for any other.
  virtual std::unique_ptr<SlowKernel> hessian_slow_kernel(const Noise&) const = 0;
  virtual std::unique_ptr<slow::PointTerms> hessian_terms(const Noise&) const = 0;
  /// The slow SDE in a metric that moves with the path, of paths (theta, v - v(0)), for the losses of both kernels
  /// above; empty for any other.
  virtual std::unique_ptr<SlowKernel> metric_slow_kernel(const Noise&, const slow::MovingMetric&,
                                                         Precision = Precision::full) const {
    return nullptr;
  }

  /// Makes the loss's kernels for a GPU; empty where there are none. Throws DeviceUnusable.
  std::function<std::shared_ptr<const DeviceModel>()> device;
};

}  // namespace sde
