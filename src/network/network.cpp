#include "sde/network/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "sde/loss/data.hpp"

namespace sde::network {

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::tanh:
      return "tanh";
    case Activation::relu:
      return "relu";
    case Activation::softplus:
      return "softplus";
    case Activation::gelu:
      break;
  }
  return "gelu";
}
const char* name_of(Objective objective) { return objective == Objective::squared ? "squared" : "cross_entropy"; }

std::vector<double> random_start(const Architecture& net, double scale, std::uint64_t seed) {
  constexpr std::uint32_t kArray = 16;
  auto theta = loss::normal_data(seed, kArray, net.dim());
  const double gain = net.activation == Activation::tanh ? 1 : 2;
  for (int l = 0; l < net.layers(); ++l) {
    const double deviation = scale * std::sqrt(gain / net.widths[l]);
    for (int k = net.offset(l); k < net.biases(l); ++k) theta[k] *= deviation;
    for (int k = net.biases(l); k < net.offset(l + 1); ++k) theta[k] = 0;
  }
  return theta;
}

Samples make_samples(const std::vector<double>& rows, int features, const std::vector<int>& y, int classes) {
  Samples s{.n = static_cast<int>(y.size()), .features = features, .classes = classes, .x = {}, .x_single = {}, .y = y};
  s.x = rows;
  s.x.resize(s.place(s.blocks() * Samples::kBlock), 0.0);
  s.x_single.assign(s.x.begin(), s.x.end());
  return s;
}

std::string Network::describe() const {
  return fmt::format("perceptron {}, {}, {}, {} parameters; {} samples, {} test samples", fmt::join(net.widths, "-"),
                     name_of(net.activation), name_of(net.objective), net.dim(), training->n, test->n);
}

}  // namespace sde::network
