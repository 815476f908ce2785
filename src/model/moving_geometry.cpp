#include "sde/model/moving_geometry.hpp"

#include <cmath>

namespace sde::slow {

MovingGeometry::MovingGeometry(const LossModel& model, const Noise& noise, MovingMetric metric)
    : model_(model), noise_(noise), metric_(std::move(metric)), geometry_(model, noise) {}

DenseGeometry& MovingGeometry::at(const double* x, const Vector& v) {
  geometry_.set_metric(metric_.root(v));
  geometry_.compute(x);
  return geometry_;
}

Vector MovingGeometry::velocity(const double* x, const Vector& v) const {
  if (metric_.c == 0) return Vector::Zero(v.size());
  return metric_.c * (covariance(model_, noise_, x).diagonal() / metric_.batch - v);
}

namespace {

/// What a step (slow_sde.hpp) asks of a geometry, with v carried along: it moves at the end of each step, by what was
/// at its beginning.
class Stepping {
 public:
  Stepping(const LossModel& model, const Noise& noise, const MovingMetric& metric)
      : d(model.dim()), moving_(model, noise, metric), innovations_(DenseGeometry(model, noise).innovations()), v_(d) {}
  void begin(const double* deviation, int stride, double dt) {
    for (int k = 0; k < d; ++k) v_[k] = moving_.metric().start[k] + deviation[k * stride];
    dt_ = dt;
  }
  double v(int k) const { return v_[k] - moving_.metric().start[k]; }

  void compute(const double* x) {
    here_ = &moving_.at(x, v_);
    velocity_ = moving_.velocity(x, v_);
  }
  void contract(Term term, const Parameters& p, double* out) { here_->contract(term, p, out); }
  template <class Draw>
  void diffuse(double scale, Draw&& xi, double* out) const {
    here_->diffuse(scale, xi, out);
  }
  bool retract(double* x) {
    const bool lost = here_->retract(x);
    const double c = moving_.metric().c;
    if (c > 0) v_ += velocity_ * (-std::expm1(-c * dt_) / c);  // exact where Sigma stays
    return lost || !v_.allFinite();
  }
  int noise_dimension() const { return innovations_.count(); }
  Innovations innovations() const { return innovations_; }

  const int d;

 private:
  MovingGeometry moving_;
  const Innovations innovations_;
  DenseGeometry* here_ = nullptr;
  Vector v_, velocity_;
  double dt_ = 0;
};

class MovingSlowKernel final : public SlowKernel {
 public:
  MovingSlowKernel(const LossModel& model, const Noise& noise, const MovingMetric& metric)
      : stepping_(model, noise, metric), x_(model.dim()), move_(model.dim()) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const Steps& steps) override {
    return each_lane(x, steps.dt, [&](int l, bool& lost) {
      auto lane_key = key;
      lane_key.path += static_cast<std::uint32_t>(l);
      slow::advance<Stepping, double>(stepping_, x_.data(), move_.data(), lane_key, steps, lost);
    });
  }
  void use_lanes(int count) override { used_ = count; }
  Innovations innovations() const override { return stepping_.innovations(); }
  unsigned step(LaneState x, const Parameters& p, double dt, const double* xi, double* martingale) override {
    return each_lane(x, dt, [&](int l, bool& lost) {
      const auto column = [&](int s) { return xi[kLanes * s + l]; };
      slow::given_step(stepping_, x_.data(), move_.data(), p, dt, column, lost);
      slow::martingale(stepping_, p, dt, column, move_.data());
      for (int k = 0; k < stepping_.d; ++k) martingale[k * kLanes + l] = move_[k];
    });
  }

 private:
  template <class Move>
  unsigned each_lane(LaneState x, double dt, Move move) {
    const int d = stepping_.d;
    unsigned bits = 0;
    for (int l = 0; l < used_; ++l) {
      for (int k = 0; k < d; ++k) x_[k] = x[k * kLanes + l];
      stepping_.begin(x + d * kLanes + l, kLanes, dt);
      bool lost = !x_.allFinite();
      if (!lost) move(l, lost);
      for (int k = 0; k < d; ++k) {
        x[k * kLanes + l] = x_[k];
        x[(d + k) * kLanes + l] = stepping_.v(k);
      }
      bits |= static_cast<unsigned>(lost) << l;
    }
    return bits;
  }
  Stepping stepping_;
  Vector x_, move_;
  int used_ = kLanes;
};

}  // namespace

std::unique_ptr<SlowKernel> dense_metric_kernel(const LossModel& model, const Noise& noise,
                                                const MovingMetric& metric) {
  return std::make_unique<MovingSlowKernel>(model, noise, metric);
}
std::unique_ptr<SlowKernel> metric_slow_kernel(const LossModel& model, const Noise& noise, const MovingMetric& metric,
                                               bool interpolating, Precision precision) {
  if (interpolating || model.residual_count() == 0)
    if (auto kernel = model.metric_slow_kernel(noise, metric, precision)) return kernel;
  return dense_metric_kernel(model, noise, metric);
}

}  // namespace sde::slow
