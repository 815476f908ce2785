#include "network_work.hpp"

#include <cmath>

#include "../modules/kernels.hpp"
#include "group.hpp"
#include "in_groups.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/loss/data.hpp"

namespace sde::bench {

namespace {

constexpr int kSamples = 1024, kInputs = 64, kHidden = 64, kClasses = 10, kBatch = 32;
constexpr std::int64_t kSteps = 100;

/// Classes of drawn inputs: the largest of as many drawn linear functions.
std::vector<int> classes_of(const std::vector<double>& X) {
  const auto teacher = loss::normal_data(5, 31, kInputs * kClasses);
  std::vector<int> y;
  for (int i = 0; i < kSamples; ++i) {
    int best = 0;
    double most = -INFINITY;
    for (int c = 0; c < kClasses; ++c) {
      double sum = 0;
      for (int j = 0; j < kInputs; ++j) sum += X[i * kInputs + j] * teacher[c * kInputs + j];
      if (sum > most) most = sum, best = c;
    }
    y.push_back(best);
  }
  return y;
}

}  // namespace

Work network_work(Precision precision) {
  const auto X = loss::normal_data(5, 30, kSamples * kInputs);
  const auto y = classes_of(X);
  network::Network network;
  network.net.widths = {kInputs, kHidden, kClasses};
  network.training = network.test =
      std::make_shared<const network::Samples>(network::make_samples(X, kInputs, y, kClasses));
  const auto start = network::random_start(network.net, 1, 5);
  Noise noise;
  noise.sampling = Sampling::with_replacement;
  const auto problem =
      std::make_shared<const ensemble::Problem>(ensemble::make_problem(kernels().network(network), noise, start));
  Work w;
  w.name = std::string("SGD, perceptron 64-64-10, batch 32") + (precision == Precision::single ? ", float" : "");
  w.precision = precision;
  w.unit = "path-steps";
  // Forward, the gradients of the weights, and back through the second layer alone; then the step.
  constexpr double kWeights = kInputs * kHidden + kHidden * kClasses;
  w.flops = kBatch * (4 * kWeights + 2 * kHidden * kClasses) + 2 * (kWeights + kHidden + kClasses);
  discrete::Algorithm a;
  a.type = &discrete::sgd;
  a.batch = kBatch;
  a.rate.eta = 0.1;
  const auto make = [problem, a, precision](int thread) {
    auto own = a;
    own.seed = static_cast<std::uint64_t>(thread) + 1;
    return discrete_group(*problem, own, kSteps, precision, -1);
  };
  const auto observable = loss_value(problem->model);
  set_runs(w, in_groups(make, static_cast<double>(kSteps), observable, -1), 2.0 * kLanes * static_cast<double>(kSteps));
  w.observable = observable.name;
  w.arrays = {{"X", X}, {"y", {y.begin(), y.end()}}, {"start", start}};
  return w;
}

}  // namespace sde::bench
