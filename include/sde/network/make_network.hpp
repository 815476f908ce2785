// make_network(): the LossModel of a perceptron, with its kernels compiled for this machine.
#pragma once

#include <cmath>
#include <stdexcept>

#include "sde/model/make_model.hpp"
#include "sde/model/point_model.hpp"
#include "sde/network/curvature.hpp"
#include "sde/network/network.hpp"
#include "sde/network/sampled_gradient.hpp"
#include "sde/network/whole_sum.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

namespace network_detail {

using network::WholeSum;

/// Loss and errors on both sets, and the curvature of L.
class NetworkObserver final : public PointObserver {
 public:
  NetworkObserver(const network::Network& network, const Noise& noise)
      : network_(network),
        whole_(network.net, *network.training, noise.redraw, network.training->n),
        curved_(network.net, *network.training, noise.redraw, network.curvature_samples()),
        test_(network.net, *network.test, 0, network.test->n) {}
  void operator()(const double* theta, std::uint64_t seed, std::uint32_t path, std::uint32_t time,
                  double* values) override {
    const int d = network_.net.dim();
    double squares = 0;
    for (int k = 0; k < d; ++k) squares += theta[k] * theta[k];
    const auto training = whole_.find(theta), test = test_.find(theta);
    const network::Product product = [&](const double* u, double* out) { curved_.hessian_vector(theta, u, out); };
    const auto trace = network::trace(product, d, network_.probes, {seed, path, time});
    const double all[] = {training.objective + 0.5 * network_.net.weight_decay * squares,
                          training.error,
                          test.objective,
                          test.error,
                          1 - test.error,
                          trace.value,
                          trace.standard_error,
                          network::largest_eigenvalue(product, d)};
    static_assert(std::size(all) == std::size(network::kObserved));
    std::copy(std::begin(all), std::end(all), values);
  }

 private:
  const network::Network& network_;
  WholeSum whole_, curved_, test_;
};

class NetworkModel final : public LossModel, public PointModel {
 public:
  explicit NetworkModel(network::Network network)
      : network_(std::move(network)),
        loss_{network_.net, network_.training},
        names_(std::begin(network::kObserved), std::end(network::kObserved)) {}

  int dim() const override { return loss_.dim(); }
  int residual_count() const override { return 0; }
  double value(const double* x) const override {
    double squares = 0;
    for (int k = 0; k < dim(); ++k) squares += x[k] * x[k];
    return whole().find(x).objective + 0.5 * network_.net.weight_decay * squares;
  }
  void gradient(const double* x, double* g) const override { whole().gradient(x, g); }
  void hessian_vector(const double* x, const double* u, double* out) const override {
    whole().hessian_vector(x, u, out);
  }
  void hessian(const double* x, double* H) const override {
    auto sum = whole();
    const auto d = static_cast<std::size_t>(dim());
    std::vector<double> unit(d);
    for (std::size_t k = 0; k < d; ++k) {
      unit[k] = 1;
      sum.hessian_vector(x, unit.data(), H + k * d);
      unit[k] = 0;
    }
  }
  void third_along(const double*, const double*, double*) const override { none("third derivatives"); }
  void residuals(const double*, double*) const override { none("residuals"); }
  void jacobian(const double*, double*) const override { none("a Jacobian of residuals"); }
  void pullback(const double*, const double*, double*) const override { none("residuals"); }
  void weighted_hessian_vector(const double*, const double*, const double*, double*) const override {
    none("residuals");
  }
  bool has_test_error() const override { return true; }
  double test_error(const double* x) const override {
    return WholeSum(network_.net, *network_.test, 0, network_.test->n).find(x).error;
  }

  std::unique_ptr<DiscreteKernel> discrete_kernel(const Noise& noise, const discrete::Algorithm& a,
                                                  Precision precision) const override {
    noise.check(dim(), 0, classes());
    if (a.increments.conventional) none("a conventional SDE");
    return discrete::Algorithms::with_rule(a, [&]<class Rule>(const Rule& rule) -> std::unique_ptr<DiscreteKernel> {
      using network::Perceptron;
      if (precision == Precision::single)
        return std::make_unique<model_detail::DiscreteKernelOf<Perceptron, float, Rule>>(loss_, noise, rule, a);
      return std::make_unique<model_detail::DiscreteKernelOf<Perceptron, double, Rule>>(loss_, noise, rule, a);
    });
  }
  std::unique_ptr<RecordingKernel> recording_kernel(const Noise&, const discrete::Algorithm&,
                                                    const Innovations&) const override {
    none("a slow SDE");
  }
  std::unique_ptr<SlowKernel> residual_slow_kernel(const Noise&, Precision) const override { none("a slow SDE"); }
  std::unique_ptr<slow::PointTerms> residual_terms(const Noise&) const override { none("terms"); }
  std::unique_ptr<SlowKernel> hessian_slow_kernel(const Noise&) const override { none("a slow SDE"); }
  std::unique_ptr<slow::PointTerms> hessian_terms(const Noise&) const override { none("terms"); }

  const PointModel* at_points() const override { return this; }
  int sample_count() const override { return network_.training->n; }
  int classes() const override { return network_.net.classes(); }
  const std::vector<std::string>& names() const override { return names_; }
  std::unique_ptr<PointObserver> observer(const Noise& noise) const override {
    return std::make_unique<NetworkObserver>(network_, noise);
  }
  std::string describe() const override { return network_.describe(); }

 private:
  /// Whoever gets here has not asked at_points().
  [[noreturn]] static void none(const char* what) {
    throw std::logic_error(std::string("a network has not got ") + what);
  }
  WholeSum whole() const { return {network_.net, *network_.training, 0, network_.training->n}; }

  const network::Network network_;
  const network::Perceptron loss_;
  const std::vector<std::string> names_;
};

}  // namespace network_detail

/// A perceptron with its data as a model.
inline std::shared_ptr<LossModel> make_network(network::Network network) {
  return std::make_shared<network_detail::NetworkModel>(std::move(network));
}

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
