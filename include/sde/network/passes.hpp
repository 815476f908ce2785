// Forward and backward through a perceptron, for some rows at once: a row is a sample, or a pack of samples of as many
// paths. T is the type of the activations, P that of the parameters: T where each path has its own, double where all
// lanes are samples of one path.
#pragma once

#include "sde/core/buffer.hpp"
#include "sde/network/activation.hpp"
#include "sde/network/objective.hpp"
#include "sde/network/products.hpp"

namespace sde::network {

/// Arrays for a number of rows, and the passes that fill them. Layer l's are of its widths[l] or widths[l + 1] units.
template <class T>
class Passes {
 public:
  Passes(const Architecture& architecture, int most_rows) : net_(architecture) {
    const auto count = static_cast<std::size_t>(net_.layers());
    values_.reserve(count + 1), slopes_.reserve(count), errors_.reserve(count);
    for (int l = 0; l <= net_.layers(); ++l) values_.emplace_back(most_rows * net_.widths[l]);
    for (int l = 0; l < net_.layers(); ++l) {
      slopes_.emplace_back(l + 1 < net_.layers() ? most_rows * net_.widths[l + 1] : 0);
      errors_.emplace_back(most_rows * net_.widths[l + 1]);
    }
  }

  const Architecture& net() const { return net_; }
  /// [rows][widths[l]]: the inputs (l = 0, to be filled before forward()), activations, outputs (l = layers()).
  T* values(int l) { return values_[l].data(); }
  /// [rows][widths[l + 1]]: the activation's slopes behind layer l, which is not the last.
  T* slopes(int l) { return slopes_[l].data(); }
  /// [rows][widths[l + 1]]: the gradient in what layer l gives, before the activation; the last to be filled before
  /// backward().
  T* errors(int l) { return errors_[l].data(); }
  T* outputs() { return values(net_.layers()); }
  T* output_errors() { return errors(net_.layers() - 1); }

  /// Fills values and slopes.
  template <class P>
  void forward(const P* theta, int rows) {
    for (int l = 0; l < net_.layers(); ++l) {
      const int in = net_.widths[l], out = net_.widths[l + 1];
      const P *const W = theta + net_.offset(l), *const b = theta + net_.biases(l);
      T* const z = values(l + 1);
      for (int s = 0; s < rows; ++s)
        for (int k = 0; k < out; ++k) z[s * out + k] = T(b[k]);
      add_products<T, T, P>(rows, out, in, {values(l), in, 1}, {W, 1, in}, {z, out, 1});
      if (l + 1 == net_.layers()) return;
      with_activation(net_.activation, [&](auto f) {
        for (int i = 0; i < rows * out; ++i) f.linearize(T(z[i]), z[i], slopes(l)[i]);
      });
    }
  }

  /// g[dim] += the gradient in theta, from the last errors down; `anew`: g = it.
  template <class P>
  void backward(const P* theta, int rows, T* g, bool anew = false) {
    for (int l = net_.layers() - 1; l >= 0; --l) {
      add_gradient(l, rows, errors(l), values(l), g, anew);
      if (l > 0) pull_back(theta, l, rows);
    }
  }
  /// The gradient of one layer's parameters, from its errors and inputs.
  void add_gradient(int l, int rows, const T* error, const T* input, T* g, bool anew = false) const {
    const int in = net_.widths[l], out = net_.widths[l + 1];
    add_products<T, T, T>(out, in, rows, {error, 1, out}, {input, in, 1}, {g + net_.offset(l), in, 1}, anew);
    T* const bias = g + net_.biases(l);
    if (anew)
      for (int k = 0; k < out; ++k) bias[k] = T(0.0);
    for (int s = 0; s < rows; ++s)
      for (int k = 0; k < out; ++k) bias[k] += error[s * out + k];
  }

 private:
  /// Fills the errors of layer l - 1 from those of layer l.
  template <class P>
  void pull_back(const P* theta, int l, int rows) {
    const int in = net_.widths[l], out = net_.widths[l + 1];
    T *const below = errors(l - 1), *const slope = slopes(l - 1);
    add_products<T, T, P>(rows, in, out, {errors(l), out, 1}, {theta + net_.offset(l), in, 1}, {below, in, 1}, true);
    for (int i = 0; i < rows * in; ++i) below[i] *= slope[i];
  }

  const Architecture net_;
  std::vector<Buffer<T, kDynamic>> values_, slopes_, errors_;
};

}  // namespace sde::network
