#include "typed_model.hpp"

#include <map>
#include <string>
#include <utility>

#include "kernels.hpp"
#include "sde/discrete/shared_rules.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde {

namespace {

/// Steps by the interpreted kernel until there is a compiled one: both leave a path the same bits, so they take turns
/// wherever one call ends.
template <class Kernel, class Make>
class Taking {
 public:
  Taking(std::unique_ptr<Kernel> kernel, std::shared_ptr<TypedModule> module, Make make)
      : kernel_(std::move(kernel)), module_(std::move(module)), make_(std::move(make)) {}
  Kernel& operator*() {
    if (!compiled_)
      if (const auto* kernels = module_->ready()) {
        if (auto fast = make_(*kernels)) kernel_ = std::move(fast);
        compiled_ = true;
      }
    return *kernel_;
  }
  Kernel& current() const { return *kernel_; }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::shared_ptr<TypedModule> module_;
  Make make_;
  bool compiled_ = false;
};

template <class Make>
class TakingDiscrete final : public DiscreteKernel {
 public:
  explicit TakingDiscrete(Taking<DiscreteKernel, Make> kernel) : kernel_(std::move(kernel)) {}
  discrete::StateShape shape() const override { return kernel_.current().shape(); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread) override {
    (*kernel_).advance(x, path, from, to, spread);
  }

 private:
  Taking<DiscreteKernel, Make> kernel_;
};

template <class Make>
class TakingRecording final : public RecordingKernel {
 public:
  explicit TakingRecording(Taking<RecordingKernel, Make> kernel) : kernel_(std::move(kernel)) {}
  discrete::StateShape shape() const override { return kernel_.current().shape(); }
  void advance(LaneState x, std::uint32_t path, std::int64_t from, std::int64_t to, double* spread,
               double* sums) override {
    (*kernel_).advance(x, path, from, to, spread, sums);
  }

 private:
  Taking<RecordingKernel, Make> kernel_;
};

template <class Make>
class TakingSlow final : public SlowKernel {
 public:
  explicit TakingSlow(Taking<SlowKernel, Make> kernel) : kernel_(std::move(kernel)) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const slow::Steps& steps) override {
    return (*kernel_).advance(x, key, steps);
  }
  Innovations innovations() const override { return kernel_.current().innovations(); }
  unsigned step(LaneState x, const slow::Parameters& p, double dt, const double* xi, double* martingale) override {
    return (*kernel_).step(x, p, dt, xi, martingale);
  }

 private:
  Taking<SlowKernel, Make> kernel_;
};

/// A module's kernel of the slow SDE.
auto by_slow(const Noise& noise) {
  return [noise](const TypedKernels& k, const formula::BoundLoss& bound) {
    return k.slow->slow ? k.slow->slow(bound, noise) : nullptr;
  };
}

class TypedModel final : public LossModel {
 public:
  TypedModel(std::shared_ptr<LossModel> interpreted, const std::shared_ptr<const formula::BoundLoss>& bound)
      : own_(std::move(interpreted)), bound_(bound) {}
  int dim() const override { return own_->dim(); }
  int residual_count() const override { return own_->residual_count(); }
  double value(const double* x) const override { return own_->value(x); }
  void gradient(const double* x, double* g) const override { own_->gradient(x, g); }
  void hessian_vector(const double* x, const double* u, double* out) const override { own_->hessian_vector(x, u, out); }
  void hessian(const double* x, double* H) const override { own_->hessian(x, H); }
  void third_along(const double* x, const double* u, double* out) const override { own_->third_along(x, u, out); }
  void residuals(const double* x, double* f) const override { own_->residuals(x, f); }
  void jacobian(const double* x, double* J) const override { own_->jacobian(x, J); }
  void pullback(const double* x, const double* w, double* g) const override { own_->pullback(x, w, g); }
  void weighted_hessian_vector(const double* x, const double* w, const double* u, double* out) const override {
    own_->weighted_hessian_vector(x, w, u, out);
  }
  bool has_test_error() const override { return own_->has_test_error(); }
  double test_error(const double* x) const override { return own_->test_error(x); }
  std::string not_finite(const double* x) const override {
    return bound_->not_finite ? bound_->not_finite({x, x + dim()}) : "";
  }

  std::unique_ptr<DiscreteKernel> discrete_kernel(const Noise& noise, const discrete::Algorithm& a,
                                                  Precision precision) const override {
    auto module = this->module(precision, discrete::first_with_rule_of(a));
    auto make = [noise, a, module](const TypedKernels& k) { return k.discrete->discrete(module->bound(), noise, a); };
    return std::make_unique<TakingDiscrete<decltype(make)>>(
        Taking(own_->discrete_kernel(noise, a, precision), module, make));
  }
  std::unique_ptr<RecordingKernel> recording_kernel(const Noise& noise, const discrete::Algorithm& a,
                                                    const Innovations& recorded) const override {
    auto module = this->module(Precision::full, discrete::first_with_rule_of(a));
    auto make = [noise, a, recorded, module](const TypedKernels& k) {
      return k.slow->recording(module->bound(), noise, a, recorded);
    };
    return std::make_unique<TakingRecording<decltype(make)>>(
        Taking(own_->recording_kernel(noise, a, recorded), module, make));
  }
  std::unique_ptr<SlowKernel> residual_slow_kernel(const Noise& noise, Precision precision) const override {
    return taking(own_->residual_slow_kernel(noise, precision), precision, discrete::Sgd::kName, by_slow(noise));
  }
  std::unique_ptr<SlowKernel> hessian_slow_kernel(const Noise& noise) const override {
    return taking(own_->hessian_slow_kernel(noise), Precision::full, discrete::Sgd::kName, by_slow(noise));
  }
  std::unique_ptr<SlowKernel> metric_slow_kernel(const Noise& noise, const slow::MovingMetric& metric,
                                                 Precision precision) const override {
    const auto of_table = [noise, metric](const TypedKernels& k, const formula::BoundLoss& bound) {
      return k.slow->metric ? k.slow->metric(bound, noise, metric) : nullptr;
    };
    if (residual_count() == 0) precision = Precision::full;
    return taking(own_->metric_slow_kernel(noise, metric, precision), precision,
                  discrete::first_with_rule<discrete::AdaptiveSgd>(), of_table);
  }
  std::unique_ptr<slow::PointTerms> residual_terms(const Noise& noise) const override {
    return own_->residual_terms(noise);
  }
  std::unique_ptr<slow::PointTerms> hessian_terms(const Noise& noise) const override {
    return own_->hessian_terms(noise);
  }

 private:
  /// `of_table` makes the kernel of a module compiled for that rule.
  template <class OfTable>
  std::unique_ptr<SlowKernel> taking(std::unique_ptr<SlowKernel> interpreted, Precision precision,
                                     const std::string& rule, OfTable of_table) const {
    if (!interpreted) return nullptr;
    auto module = this->module(precision, rule);
    auto make = [of_table, module](const TypedKernels& k) { return of_table(k, module->bound()); };
    return std::make_unique<TakingSlow<decltype(make)>>(Taking(std::move(interpreted), module, make));
  }
  /// Made when a kernel is first asked for: terms at a point need none.
  std::shared_ptr<TypedModule> module(Precision precision, const std::string& rule) const {
    const std::lock_guard lock(mutex_);
    auto& module = modules_[{precision, rule}];
    if (!module) module = std::make_shared<TypedModule>(bound_, precision, rule);
    return module;
  }

  const std::shared_ptr<LossModel> own_;
  const std::shared_ptr<const formula::BoundLoss> bound_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<Precision, std::string>, std::shared_ptr<TypedModule>> modules_;
};

}  // namespace

std::shared_ptr<LossModel> typed_model(std::shared_ptr<const formula::BoundLoss> bound, bool squared) {
  const auto& make = kernels().formulas;
  const int residuals = bound->numbers.rows * bound->programs.residuals_per_row;
  std::shared_ptr<LossModel> interpreted = !squared         ? make.value(loss::FormulaValue(bound))
                                           : residuals == 1 ? make.one(loss::FormulaResidual(bound))
                                                            : make.residuals(loss::FormulaResiduals<kDynamic>(bound));
  auto model = std::make_shared<TypedModel>(std::move(interpreted), bound);
  model->device = [bound] { return typed_device_model(*bound); };
  return model;
}

}  // namespace sde
