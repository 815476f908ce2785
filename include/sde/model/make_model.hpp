// make_model<L>(): the LossModel of a loss, with its kernels compiled for it.
#pragma once

// First, so that what it says of a wrong loss comes without a long list of includes.
#include "sde/loss/check.hpp"

#include <string>

#include "sde/discrete/algorithms.hpp"
#include "sde/model/metric_kernels.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {  // what it compiles depends on the register width

namespace model_detail {

template <Loss L, class T, class Rule, bool Coupled>
class DiscreteLoop {
 public:
  DiscreteLoop(const L& loss, const Noise& noise, const Rule& rule, const discrete::Algorithm& algorithm,
               const Innovations& recorded = {})
      : loss_(loss),
        noise_(noise),
        algorithm_(algorithm),
        loop_(loss_, noise_.view(), bound_to(rule, algorithm_),
              discrete::recording(discrete::Stepping(algorithm_), recorded)),
        shape_(discrete::shape_of<T>(rule, loss.dim(), algorithm.workers)),
        x_(shape_.size()),
        columns_(recorded.count()),
        noise_sums_(columns_) {}
  discrete::StateShape shape() const { return shape_; }
  void use_lanes(int count) { used_ = count; }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread,
               double* sums = nullptr) {
    constexpr std::int64_t kMostRates = 1 << 16;
    for (int first = 0; first < used_; first += lanes_of<T>) {
      load_state(x, first, shape_.size(), x_.data());
      T s(0.0);
      discrete::for_each_rounds(algorithm_, from, to, kMostRates, rates_, [&](const discrete::Rounds& rounds) {
        loop_.advance(x_.data(), path + static_cast<std::uint32_t>(first), rounds, s);
      });
      store_state(x_.data(), first, shape_.size(), x);
      for (int l = 0; l < lanes_of<T>; ++l) spread[first + l] = s[l];
      if constexpr (Coupled) add_noise(first, sums);
    }
  }

 private:
  void add_noise(int first, double* sums) {
    for (int s = 0; s < columns_; ++s) noise_sums_[s] = T(0.0);
    loop_.take_noise(noise_sums_.data());
    for (int s = 0; s < columns_; ++s)
      for (int l = 0; l < lanes_of<T>; ++l) sums[s * kLanes + first + l] += noise_sums_[s][l];
  }

  const L& loss_;
  const NoiseOf<scalar_of<T>> noise_;
  const discrete::Algorithm algorithm_;
  typename discrete::LoopOf<L, T, Rule, Coupled>::type loop_;
  const discrete::StateShape shape_;
  Buffer<T, discrete::kStateSize<L, Rule, T>> x_;
  const int columns_;
  int used_ = kLanes;
  Buffer<T, kDynamic> noise_sums_;
  std::vector<double> rates_;
};

template <Loss L, class S, class Rule>
class DiscreteKernelOf final : public DiscreteKernel {
 public:
  DiscreteKernelOf(const L& loss, const Noise& noise, const Rule& rule, const discrete::Algorithm& a)
      : loop_(loss, noise, rule, a) {}
  discrete::StateShape shape() const override { return loop_.shape(); }
  void use_lanes(int count) override { loop_.use_lanes(count); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread) override {
    loop_.advance(x, path, from, to, spread);
  }

 private:
  DiscreteLoop<L, PackFor<L, S>, Rule, false> loop_;
};

template <Loss L, class Rule>
class RecordingKernelOf final : public RecordingKernel {
 public:
  RecordingKernelOf(const L& loss, const Noise& noise, const Rule& rule, const discrete::Algorithm& a,
                    const Innovations& recorded)
      : loop_(loss, noise, rule, a, recorded) {}
  discrete::StateShape shape() const override { return loop_.shape(); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread,
               double* sums) override {
    loop_.advance(x, path, from, to, spread, sums);
  }

 private:
  DiscreteLoop<L, PackFor<L, double>, Rule, true> loop_;
};

template <Loss L>
class ModelOf final : public LossModel {
 public:
  explicit ModelOf(L loss) : loss_(std::move(loss)) {}
  int dim() const override { return loss_.dim(); }
  int residual_count() const override {
    if constexpr (SquaredLoss<L>)
      return loss_.residual_count();
    else
      return 0;
  }
  double value(const double* x) const override { return loss::value(loss_, x); }
  void gradient(const double* x, double* g) const override {
    if constexpr (SquaredLoss<L>) {
      const int n = loss_.residual_count();
      std::vector<double> f(static_cast<std::size_t>(n));
      loss::residuals(loss_, x, f.data());
      for (auto& v : f) v /= n;
      loss::pullback(loss_, x, static_cast<const double*>(f.data()), g);
    } else {
      loss::gradient(loss_, x, g);
    }
  }
  void hessian_vector(const double* x, const double* u, double* out) const override {
    loss::hessian_vector(loss_, x, u, out);
  }
  void hessian(const double* x, double* H) const override { loss::hessian(loss_, x, H); }
  void third_along(const double* x, const double* u, double* out) const override {
    loss::third_along(loss_, x, u, out);
  }
  void residuals(const double* x, double* f) const override {
    if constexpr (SquaredLoss<L>) loss::residuals(loss_, x, f);
  }
  void pullback(const double* x, const double* w, double* g) const override {
    if constexpr (SquaredLoss<L>) loss::pullback(loss_, x, w, g);
  }
  void weighted_hessian_vector(const double* x, const double* w, const double* u, double* out) const override {
    if constexpr (SquaredLoss<L>) loss::weighted_hvp(loss_, x, w, u, out);
  }
  void jacobian(const double* x, double* J) const override {
    if constexpr (SquaredLoss<L>) loss::jacobian(loss_, x, J);
  }
  bool has_test_error() const override {
    if constexpr (HasTestError<L> && requires { loss_.tested(); })
      return loss_.tested();
    else
      return HasTestError<L>;
  }
  double test_error(const double* x) const override {
    if constexpr (HasTestError<L>)
      return loss_.test_error(x);
    else
      return std::numeric_limits<double>::quiet_NaN();
  }
  std::unique_ptr<DiscreteKernel> discrete_kernel(const Noise& noise, const discrete::Algorithm& a,
                                                  Precision precision) const override {
    noise.check(loss_.dim(), residual_count());
    return discrete::Algorithms::with_rule(a, [&]<class Rule>(const Rule& rule) -> std::unique_ptr<DiscreteKernel> {
      if (precision == Precision::single)
        return std::make_unique<DiscreteKernelOf<L, float, Rule>>(loss_, noise, rule, a);
      return std::make_unique<DiscreteKernelOf<L, double, Rule>>(loss_, noise, rule, a);
    });
  }
  std::unique_ptr<RecordingKernel> recording_kernel(const Noise& noise, const discrete::Algorithm& a,
                                                    const Innovations& recorded) const override {
    noise.check(loss_.dim(), residual_count());
    check_recordable(recorded, noise, residual_count());
    return discrete::Algorithms::with_rule(a, [&]<class Rule>(const Rule& rule) -> std::unique_ptr<RecordingKernel> {
      return std::make_unique<RecordingKernelOf<L, Rule>>(loss_, noise, rule, a, recorded);
    });
  }
  std::unique_ptr<SlowKernel> residual_slow_kernel(const Noise& noise, Precision precision) const override {
    noise.check(loss_.dim(), residual_count());
    if constexpr (SquaredLoss<L>) {
      if (precision == Precision::single) return std::make_unique<SlowKernelOf<L, float>>(loss_, noise);
      return std::make_unique<SlowKernelOf<L, double>>(loss_, noise);
    } else {
      return nullptr;
    }
  }
  std::unique_ptr<slow::PointTerms> residual_terms(const Noise& noise) const override {
    noise.check(loss_.dim(), residual_count());
    if constexpr (SquaredLoss<L>)
      return std::make_unique<ResidualTerms<L>>(loss_, noise);
    else
      return nullptr;
  }
  std::unique_ptr<SlowKernel> hessian_slow_kernel(const Noise& noise) const override {
    noise.check(loss_.dim(), residual_count());
    if constexpr (kHasHessianKernels)
      if (slow::has_kernels(loss_)) return std::make_unique<SlowKernelOf<L, double>>(loss_, noise);
    return nullptr;
  }
  std::unique_ptr<slow::PointTerms> hessian_terms(const Noise& noise) const override {
    noise.check(loss_.dim(), residual_count());
    if constexpr (kHasHessianKernels)
      if (slow::has_kernels(loss_)) return std::make_unique<HessianTerms<L>>(loss_, noise);
    return nullptr;
  }
  std::unique_ptr<SlowKernel> metric_slow_kernel(const Noise& noise, const slow::MovingMetric& metric,
                                                 Precision precision) const override {
    noise.check(loss_.dim(), residual_count());
    if constexpr (SquaredLoss<L>)
      if (precision == Precision::single) return std::make_unique<MetricKernelOf<L, float>>(loss_, noise, metric);
    if constexpr (SquaredLoss<L> || kHasHessianKernels)
      if (slow::has_kernels(loss_)) return std::make_unique<MetricKernelOf<L, double>>(loss_, noise, metric);
    return nullptr;
  }
  const L& loss() const { return loss_; }

 private:
  static constexpr bool kHasHessianKernels = ValueLoss<L> && slow::kMayHaveKernels<L>;
  const L loss_;
};

}  // namespace model_detail

/// A user's loss as a model.
template <class L>
std::shared_ptr<LossModel> make_model(L loss) {
  if constexpr (sde::loss::Checked<L>::ok) {
    static_cast<void>(&sde::loss::met_first<L, double>);
    static_cast<void>(&sde::loss::met_first<L, Dual<Real, 1>>);
    return std::make_shared<model_detail::ModelOf<L>>(std::move(loss));
  } else {
    return nullptr;  // and does not compile: Checked has said why
  }
}

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
