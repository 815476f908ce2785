// What a multilayer perceptron looks like, and where its parameters are.
#pragma once

#include <string>
#include <vector>

namespace sde::network {

/// Of the hidden units: tanh, max(z, 0), log(1 + exp z), z times the normal distribution function.
enum class Activation { tanh, relu, softplus, gelu };
/// Of one sample with class y and outputs o: log sum_c exp o_c - o_y, or 1/2 sum_c (o_c - [c = y])^2.
enum class Objective { cross_entropy, squared };

/// Layer l = 0, 1, ... maps widths[l] numbers to widths[l + 1]; all but the last are followed by the activation.
struct Architecture {
  std::vector<int> widths;  ///< inputs, hidden units, ..., classes
  Activation activation = Activation::tanh;
  Objective objective = Objective::cross_entropy;
  double weight_decay = 0;  ///< adds weight_decay/2 |theta|^2, weights and biases alike

  int layers() const { return static_cast<int>(widths.size()) - 1; }
  int inputs() const { return widths.front(); }
  int classes() const { return widths.back(); }
  int weights(int layer) const { return widths[layer] * widths[layer + 1]; }
  /// Place in theta of a layer's weights [unit][input], which its biases [unit] follow.
  int offset(int layer) const {
    int place = 0;
    for (int l = 0; l < layer; ++l) place += weights(l) + widths[l + 1];
    return place;
  }
  int biases(int layer) const { return offset(layer) + weights(layer); }
  int dim() const { return offset(layers()); }
};

/// theta[dim()] with normal weights of variance scale^2 gain/fan-in (gain 1 of tanh, 2 of the others) and biases 0.
std::vector<double> random_start(const Architecture&, double scale, std::uint64_t seed);

/// In files.
const char* name_of(Activation);
const char* name_of(Objective);

}  // namespace sde::network
