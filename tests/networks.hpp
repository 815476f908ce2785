// Small networks on drawn data, for tests.
#pragma once

#include "sde/loss/data.hpp"
#include "sde/network/make_network.hpp"

namespace sde::test {

/// n drawn inputs, of classes in turn.
inline std::shared_ptr<const network::Samples> drawn_samples(int n, int features, int classes, std::uint64_t seed) {
  std::vector<int> y;
  for (int i = 0; i < n; ++i) y.push_back((i * 7 + i / 3) % classes);
  return std::make_shared<const network::Samples>(
      network::make_samples(loss::normal_data(seed, 1, n * features), features, y, classes));
}

/// Two hidden layers, and sizes that fill neither lanes nor tiles.
inline network::Network small_network(network::Activation activation, network::Objective objective,
                                      double weight_decay = 0) {
  network::Network network;
  network.net = {
      .widths = {3, 5, 4, 3}, .activation = activation, .objective = objective, .weight_decay = weight_decay};
  network.training = drawn_samples(13, 3, 3, 1);
  network.test = drawn_samples(11, 3, 3, 2);
  return network;
}

inline network::Perceptron loss_of(const network::Network& network) { return {network.net, network.training}; }

/// A point without zeros.
inline std::vector<double> point_of(const network::Network& network, std::uint64_t seed = 3) {
  auto theta = loss::normal_data(seed, 2, network.net.dim());
  for (auto& v : theta) v *= 0.7;
  return theta;
}

/// use(activation, objective) for all pairs.
template <class Use>
void for_each_kind(Use use) {
  using network::Activation;
  using network::Objective;
  for (const auto activation : {Activation::tanh, Activation::relu, Activation::softplus, Activation::gelu})
    for (const auto objective : {Objective::cross_entropy, Objective::squared}) use(activation, objective);
}

}  // namespace sde::test
