// What make_model.hpp compiles for a loss's slow SDE in a metric that moves with the path: the step loop over packs.
#pragma once

#include "sde/model/slow_kernels.hpp"
#include "sde/slow/in_metric.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {  // what it compiles depends on the register width

namespace model_detail {

/// Of paths (theta, v - v(0)): 2 d rows.
template <Loss L, class S>
class MetricKernelOf final : public SlowKernel {
  using T = PackFor<L, S>;

 public:
  MetricKernelOf(const L& loss, const Noise& noise, const slow::MovingMetric& metric)
      : noise_(noise),
        metric_(metric),
        numbers_(metric_.numbers()),
        geometry_(loss, noise_.view(), numbers_),
        x_(loss.dim()),
        move_(loss.dim()) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const slow::Steps& steps) override {
    return in_packs(x, steps.dt, [&](int first, auto& lost) {
      auto mine = key;
      mine.path += static_cast<std::uint32_t>(first);
      slow::advance(geometry_, x_.data(), move_.data(), mine, steps, lost);
    });
  }
  Innovations innovations() const override { return innovations_on_gamma(noise_); }
  unsigned step(LaneState x, const slow::Parameters& p, double dt, const double* xi, double* martingale) override {
    return in_packs(x, dt, [&](int first, auto& lost) {
      const auto column = [&](int s) {
        T value;
        load_state(xi + s * kLanes, first, 1, &value);
        return value;
      };
      slow::given_step(geometry_, x_.data(), move_.data(), p, dt, column, lost);
      slow::martingale(geometry_, p, dt, column, move_.data());
      store_state(move_.data(), first, geometry_.d, martingale);
    });
  }

 private:
  template <class Move>
  unsigned in_packs(LaneState x, double dt, Move move) {
    const int d = geometry_.d;
    const double gain = numbers_.gain(dt);
    const LaneState kept = x + d * kLanes;
    unsigned bits = 0;
    for (int first = 0; first < kLanes; first += lanes_of<T>) {
      load_state(kept, first, d, x_.data());
      geometry_.begin(x_.data(), gain);
      load_state(x, first, d, x_.data());
      auto lost = T(1.0) < T(0.0);
      move(first, lost);
      store_state(x_.data(), first, d, x);
      geometry_.end(x_.data());
      store_state(x_.data(), first, d, kept);
      for (int l = 0; l < lanes_of<T>; ++l) bits |= static_cast<unsigned>(lost[l]) << (first + l);
    }
    return bits;
  }
  const NoiseOf<S> noise_;
  const slow::MovingMetric metric_;
  const slow::MetricNumbers numbers_;
  slow::InMetric<L, T> geometry_;
  Buffer<T, dim_of<L>> x_, move_;
};

}  // namespace model_detail

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
