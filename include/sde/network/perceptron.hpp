// A multilayer perceptron on samples of classes, as a loss: L = 1/n sum_i objective(outputs at x_i, y_i) +
// weight_decay/2 |theta|^2.
#pragma once

#include <memory>

#include "sde/core/transpose.hpp"
#include "sde/network/passes.hpp"
#include "sde/network/sampled_loss.hpp"
#include "sde/network/samples.hpp"

namespace sde::network {

template <class T>
class Batch;

/// Shared by threads; the samples are read alone.
struct Perceptron {
  Architecture net;
  std::shared_ptr<const Samples> samples;

  template <class T>
  using BatchOf = Batch<T>;

  int dim() const { return net.dim(); }
  int sample_count() const { return samples->n; }
  int classes() const { return net.classes(); }
  int label(int sample) const { return samples->y[static_cast<std::size_t>(sample)]; }

  /// Sample by sample and unit by unit, for numbers of any kind: derivatives by hand are held to those of this.
  template <class T>
  T value(const T* theta) const {
    T sum = T(0.0);
    for (int i = 0; i < samples->n; ++i) sum += of_sample(theta, i);
    T squares = T(0.0);
    for (int k = 0; k < dim(); ++k) squares += theta[k] * theta[k];
    return sum * (1.0 / samples->n) + squares * (0.5 * net.weight_decay);
  }

 private:
  template <class T>
  T of_sample(const T* theta, int i) const {
    std::vector<T> units, next;
    for (int j = 0; j < samples->features; ++j)
      units.push_back(T(samples->x[samples->place(i) + static_cast<std::size_t>(j)]));
    for (int l = 0; l < net.layers(); ++l) {
      next.clear();
      for (int k = 0; k < net.widths[l + 1]; ++k) {
        T z = theta[net.biases(l) + k];
        for (int j = 0; j < net.widths[l]; ++j) z += theta[net.offset(l) + k * net.widths[l] + j] * units[j];
        next.push_back(l + 1 == net.layers() ? z : with_activation(net.activation, [&](auto f) { return f.value(z); }));
      }
      units.swap(next);
    }
    const int y = samples->y[i];
    T value = T(0.0);
    if (net.objective == Objective::squared) {
      for (int c = 0; c < classes(); ++c) {
        const T error = units[c] - (c == y ? 1.0 : 0.0);
        value += error * error * 0.5;
      }
      return value;
    }
    for (int c = 0; c < classes(); ++c) value += exp(units[c] - units[y]);
    return log(value);
  }
};

/// The gradient of a batch, each lane of T with parameters and samples of its own.
template <class T>
class Batch {
  static constexpr int W = lanes_of<T>;
  using S = scalar_of<T>;

 public:
  explicit Batch(const Perceptron& loss)
      : loss_(loss), passes_(loss.net, kRows), labels_(kRows), x_(loss.samples->inputs<S>()) {}

  /// g[d] = the mean over `size` samples of their gradients at theta[d], and the weight decay's. draw(s, picked, label)
  /// gives sample number s of the batch: its index in each lane, and its class as a number.
  template <class Draw>
  void operator()(const T* theta, int size, Draw draw, T* g) {
    const int d = loss_.dim();
    for (int first = 0; first < size; first += kRows) {
      const int rows = std::min(kRows, size - first);
      for (int s = 0; s < rows; ++s) take(s, first + s, draw);
      passes_.forward(theta, rows);
      const int classes = loss_.classes();
      const T inverse = T(1.0 / size);
      with_objective(loss_.net.objective, [&](auto objective) {
        for (int s = 0; s < rows; ++s) {
          const T label = labels_[s];
          T* const error = passes_.output_errors() + s * classes;
          objective.linearize(
              classes, passes_.outputs() + s * classes,
              [&](int c) { return select(label == T(static_cast<scalar_of<T>>(c)), T(1.0), T(0.0)); }, error);
          for (int c = 0; c < classes; ++c) error[c] *= inverse;
        }
      });
      passes_.backward(theta, rows, g, first == 0);
    }
    if (loss_.net.weight_decay > 0)
      for (int k = 0; k < d; ++k) g[k] += T(loss_.net.weight_decay) * theta[k];
  }

 private:
  /// Rows at a time: their arrays are to stay in cache.
  static constexpr int kRows = 32;

  template <class Draw>
  void take(int row, int sample, Draw& draw) {
    int picked[W];
    draw(sample, picked, labels_[row]);
    const auto& samples = *loss_.samples;
    const S* from[W];
    for (int l = 0; l < W; ++l) from[l] = x_ + samples.place(picked[l]);
    load_rows(from, samples.features, passes_.values(0) + row * samples.features);
  }

  const Perceptron& loss_;
  Passes<T> passes_;
  Buffer<T, kDynamic> labels_;
  const S* const x_;
};

}  // namespace sde::network
