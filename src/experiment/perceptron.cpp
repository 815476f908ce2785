#include "perceptron.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "../modules/kernels.hpp"
#include "labelled_sets.hpp"

namespace sde::experiment {

namespace {

using network::Activation;
using network::Objective;

/// What [loss] says, but for the data themselves.
struct Settings {
  network::Architecture net;  ///< its widths: those of the hidden layers
  network::Network network;
  SetsSettings sets;
  double scale = 1;
  std::uint64_t seed = 1;
};

void read_net(Keys& keys, network::Architecture& net) {
  const auto widths = keys.numbers({"widths", "units of each hidden layer; [] for none (default: [32])"});
  net.widths = {32};
  if (keys.has("widths")) {
    net.widths.clear();
    for (const double w : widths) {
      if (!(w >= 1 && w <= 100'000 && w == std::floor(w)))
        keys.fail("widths", fmt::format("expected whole numbers from 1 to 100000, got {}", w));
      net.widths.push_back(static_cast<int>(w));
    }
  }
  const std::string activation =
      keys.choice({"activation", "of the hidden units"}, "tanh", {"tanh", "relu", "softplus", "gelu"});
  for (const auto a : {Activation::tanh, Activation::relu, Activation::softplus, Activation::gelu})
    if (activation == network::name_of(a)) net.activation = a;
  net.objective = keys.choice({"objective", "of a sample; squared: 1/2 of the distance to 1 at its class, 0 elsewhere"},
                              "cross_entropy", {"cross_entropy", "squared"}) == "squared"
                      ? Objective::squared
                      : Objective::cross_entropy;
  net.weight_decay = keys.non_negative({"weight_decay", "adds weight_decay/2 |theta|^2"}, 0.0);
}

Settings read_settings(Keys& keys) {
  Settings s;
  read_net(keys, s.net);
  s.sets = read_sets_settings(keys);
  s.seed = static_cast<std::uint64_t>(keys.integer({"init_seed", "of the random start"}, 1, 0, 1'000'000'000));
  s.scale = keys.non_negative({"init_scale",
                               "of its weights, whose deviation is init_scale/sqrt(fan-in), times "
                               "sqrt(2) but for tanh"},
                              1.0);
  s.network.probes =
      static_cast<int>(keys.integer({"probes", "random vectors of the estimate of tr Hess"}, 16, 2, 10'000));
  s.network.curvature_of = static_cast<int>(keys.integer(
      {"curvature_samples", "training samples whose Hessian is observed, the first; 0: all"}, 0, 0, 100'000'000));
  return s;
}

std::shared_ptr<const network::Samples> samples_of(const LabelledData& data, int classes) {
  return std::make_shared<const network::Samples>(
      network::make_samples(data.x, static_cast<int>(data.features), data.y, classes));
}

}  // namespace

const LossDescription& perceptron() {
  static const LossDescription one = [] {
    Defaults defaults;
    read_settings(defaults);
    return LossDescription{"perceptron", "1/n sum_i objective(network(x_i), y_i) + weight_decay/2 |theta|^2",
                           std::move(defaults.asked)};
  }();
  return one;
}

NamedLoss make_perceptron(Section& loss) {
  Settings s = read_settings(loss);
  LabelledSets sets = read_sets(loss, s.sets);
  keep_samples(loss, s.sets, sets);
  const int classes = blaming(loss, "data", [&] { return classes_of(sets.training); });
  blaming(loss, s.sets.test_data.empty() ? "data" : "test_data", [&] {
    check_test_set(sets.training, sets.test, classes);
    return 0;
  });
  transform(sets, s.sets.inputs);
  auto& net = s.net;
  net.widths.insert(net.widths.begin(), static_cast<int>(sets.training.features));
  net.widths.push_back(classes);
  double parameters = 0;
  for (int l = 0; l < net.layers(); ++l) parameters += (net.widths[l] + 1.0) * net.widths[l + 1];
  constexpr double kMostParameters = 10'000'000;
  if (parameters > kMostParameters)
    loss.fail("widths", fmt::format("{} parameters: expected at most {}", parameters, kMostParameters));
  s.network.net = net;
  s.network.training = samples_of(sets.training, classes);
  s.network.test = samples_of(sets.test, classes);
  const auto start = network::random_start(net, s.scale, s.seed);
  loss.finish();
  return {kernels().network(std::move(s.network)),
          Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size())),
          perceptron().name,
          {},
          {}};
}

}  // namespace sde::experiment
