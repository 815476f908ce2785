// Hessian-vector products of a perceptron: the passes differentiated along a direction u (Pearlmutter 1994), for rows
// of samples of one path, a pack of samples to a row.
#pragma once

#include "sde/network/passes.hpp"

namespace sde::network {

/// Moves of a perceptron's arrays along u.
template <class T>
class SecondOrder {
 public:
  SecondOrder(const Architecture& architecture, int most_rows) : passes_(architecture, most_rows) {
    const auto& net = passes_.net();
    for (int l = 0; l < net.layers(); ++l) {
      const int units = most_rows * net.widths[l + 1];
      sums_.emplace_back(l + 1 < net.layers() ? units : 0);
      moves_.emplace_back(units);
      value_moves_.emplace_back(l + 1 < net.layers() ? units : 0);
      error_moves_.emplace_back(units);
    }
  }

  Passes<T>& passes() { return passes_; }
  /// [rows][classes]: how the outputs move along u.
  T* output_moves() { return moves_.back().data(); }
  /// [rows][classes]: how their errors do; to be filled before backward().
  T* output_error_moves() { return error_moves_.back().data(); }

  /// Values, slopes and outputs with their moves, from the inputs of passes().
  void forward(const double* theta, const double* u, int rows) {
    const auto& net = passes_.net();
    for (int l = 0; l < net.layers(); ++l) {
      const int in = net.widths[l], out = net.widths[l + 1];
      T* const z = l + 1 < net.layers() ? sums_[l].data() : passes_.outputs();
      T* const move = moves_[l].data();
      const double *const b = theta + net.biases(l), *const ub = u + net.biases(l);
      for (int s = 0; s < rows; ++s)
        for (int k = 0; k < out; ++k) z[s * out + k] = T(b[k]), move[s * out + k] = T(ub[k]);
      const T* const input = passes_.values(l);
      add_products<T, T, double>(rows, out, in, {input, in, 1}, {theta + net.offset(l), 1, in}, {z, out, 1});
      add_products<T, T, double>(rows, out, in, {input, in, 1}, {u + net.offset(l), 1, in}, {move, out, 1});
      if (l > 0)
        add_products<T, T, double>(rows, out, in, {value_moves_[l - 1].data(), in, 1}, {theta + net.offset(l), 1, in},
                                   {move, out, 1});
      if (l + 1 == net.layers()) return;
      T *const value = passes_.values(l + 1), *const slope = passes_.slopes(l), *const moved = value_moves_[l].data();
      with_activation(net.activation, [&](auto f) {
        for (int i = 0; i < rows * out; ++i) {
          f.linearize(z[i], value[i], slope[i]);
          moved[i] = slope[i] * move[i];
        }
      });
    }
  }

  /// out[dim] += how the gradient moves, from the output errors of passes() and their moves.
  void backward(const double* theta, const double* u, int rows, T* out) {
    const auto& net = passes_.net();
    for (int l = net.layers() - 1; l >= 0; --l) {
      passes_.add_gradient(l, rows, error_moves_[l].data(), passes_.values(l), out);
      if (l == 0) return;
      const int in = net.widths[l], units = net.widths[l + 1];
      add_products<T, T, T>(units, in, rows, {passes_.errors(l), 1, units}, {value_moves_[l - 1].data(), in, 1},
                            {out + net.offset(l), in, 1});
      pull_back(theta, u, l, rows);
    }
  }

 private:
  void pull_back(const double* theta, const double* u, int l, int rows) {
    const auto& net = passes_.net();
    const int in = net.widths[l], units = net.widths[l + 1], count = rows * in;
    T *const error = passes_.errors(l - 1), *const move = error_moves_[l - 1].data();
    for (int i = 0; i < count; ++i) error[i] = move[i] = T(0.0);
    const double *const W = theta + net.offset(l), *const V = u + net.offset(l);
    add_products<T, T, double>(rows, in, units, {passes_.errors(l), units, 1}, {W, in, 1}, {error, in, 1});
    add_products<T, T, double>(rows, in, units, {passes_.errors(l), units, 1}, {V, in, 1}, {move, in, 1});
    add_products<T, T, double>(rows, in, units, {error_moves_[l].data(), units, 1}, {W, in, 1}, {move, in, 1});
    const T *const slope = passes_.slopes(l - 1), *const value = passes_.values(l), *const z = sums_[l - 1].data(),
                   *const along = moves_[l - 1].data();
    with_activation(net.activation, [&](auto f) {
      for (int i = 0; i < count; ++i) {
        move[i] = move[i] * slope[i] + error[i] * f.curvature(z[i], value[i], slope[i]) * along[i];
        error[i] *= slope[i];
      }
    });
  }

  Passes<T> passes_;
  std::vector<Buffer<T, kDynamic>> sums_;         ///< z of the hidden layers
  std::vector<Buffer<T, kDynamic>> moves_;        ///< of z, and of the outputs
  std::vector<Buffer<T, kDynamic>> value_moves_;  ///< of the activations
  std::vector<Buffer<T, kDynamic>> error_moves_;
};

}  // namespace sde::network
