// The tables of typed_kernels.hpp for a loss L that is made of a formula::BoundLoss, in precision S. A module has one
// translation unit for each: compilers work on both at once. SDE_COMPILED_RULE is the name of an algorithm: kernels are
// those of its update rule, since a user waits for a compiler.
#pragma once

#include "sde/discrete/shared_rules.hpp"
#include "sde/model/make_model.hpp"
#include "sde/model/typed_kernels.hpp"
#include "sde/version.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

namespace model_detail {

template <class Rule>
inline constexpr bool kCompiledRule = discrete::has_rule<Rule>(SDE_COMPILED_RULE);

/// A kernel with the loss that it refers to.
template <class L, class S>
class TypedDiscrete final : public DiscreteKernel {
 public:
  TypedDiscrete(const formula::BoundLoss& bound, const Noise& noise, const discrete::Algorithm& a) : loss_(bound) {
    kernel_ = discrete::Algorithms::with_rule(a, [&]<class Rule>(const Rule& rule) -> std::unique_ptr<DiscreteKernel> {
      if constexpr (kCompiledRule<Rule>) return std::make_unique<DiscreteKernelOf<L, S, Rule>>(loss_, noise, rule, a);
      return nullptr;
    });
  }
  bool made() const { return kernel_ != nullptr; }
  discrete::StateShape shape() const override { return kernel_->shape(); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread) override {
    kernel_->advance(x, path, from, to, spread);
  }

 private:
  const L loss_;
  std::unique_ptr<DiscreteKernel> kernel_;
};

template <class L>
class TypedRecording final : public RecordingKernel {
 public:
  TypedRecording(const formula::BoundLoss& bound, const Noise& noise, const discrete::Algorithm& a,
                 const Innovations& recorded)
      : loss_(bound) {
    kernel_ = discrete::Algorithms::with_rule(a, [&]<class Rule>(const Rule& rule) -> std::unique_ptr<RecordingKernel> {
      if constexpr (kCompiledRule<Rule>)
        return std::make_unique<RecordingKernelOf<L, Rule>>(loss_, noise, rule, a, recorded);
      return nullptr;
    });
  }
  bool made() const { return kernel_ != nullptr; }
  discrete::StateShape shape() const override { return kernel_->shape(); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread,
               double* sums) override {
    kernel_->advance(x, path, from, to, spread, sums);
  }

 private:
  const L loss_;
  std::unique_ptr<RecordingKernel> kernel_;
};

template <Loss L, class Kernel>
class TypedSlow final : public SlowKernel {
 public:
  template <class... More>
  TypedSlow(const formula::BoundLoss& bound, const Noise& noise, const More&... more)
      : loss_(bound), kernel_(loss_, noise, more...) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const slow::Steps& steps) override {
    return kernel_.advance(x, key, steps);
  }
  Innovations innovations() const override { return kernel_.innovations(); }
  unsigned step(LaneState x, const slow::Parameters& p, double dt, const double* xi, double* martingale) override {
    return kernel_.step(x, p, dt, xi, martingale);
  }

 private:
  const L loss_;
  Kernel kernel_;
};

}  // namespace model_detail

/// The table of the discrete algorithms.
template <class L, class S>
const DiscreteTypedKernels* discrete_typed_kernels() {
  static const DiscreteTypedKernels table{kVersion, sizeof(DiscreteTypedKernels),
                                          [](const formula::BoundLoss& bound, const Noise& noise,
                                             const discrete::Algorithm& a) -> std::unique_ptr<DiscreteKernel> {
                                            auto kernel =
                                                std::make_unique<model_detail::TypedDiscrete<L, S>>(bound, noise, a);
                                            return kernel->made() ? std::move(kernel) : nullptr;
                                          }};
  return &table;
}

/// The table of the slow SDE.
template <class L, class S>
const SlowTypedKernels* slow_typed_kernels() {
  static const SlowTypedKernels table = [] {
    using namespace model_detail;
    SlowTypedKernels t{kVersion, sizeof(SlowTypedKernels), nullptr, nullptr, nullptr};
    if constexpr (SquaredLoss<L> || (std::is_same_v<S, double> && slow::kMayHaveKernels<L>)) {
      t.slow = [](const formula::BoundLoss& bound, const Noise& noise) -> std::unique_ptr<SlowKernel> {
        return std::make_unique<TypedSlow<L, SlowKernelOf<L, S>>>(bound, noise);
      };
      if constexpr (kCompiledRule<discrete::AdaptiveSgd>)
        t.metric = [](const formula::BoundLoss& bound, const Noise& noise,
                      const slow::MovingMetric& metric) -> std::unique_ptr<SlowKernel> {
          return std::make_unique<TypedSlow<L, MetricKernelOf<L, S>>>(bound, noise, metric);
        };
    }
    if constexpr (std::is_same_v<S, double>)
      t.recording = [](const formula::BoundLoss& bound, const Noise& noise, const discrete::Algorithm& a,
                       const Innovations& recorded) -> std::unique_ptr<RecordingKernel> {
        auto kernel = std::make_unique<TypedRecording<L>>(bound, noise, a, recorded);
        return kernel->made() ? std::move(kernel) : nullptr;
      };
    return t;
  }();
  return &table;
}

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
