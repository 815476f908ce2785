// A perceptron's sum over all samples, for one path in double: its value, errors, gradient, Hessian-vector products. A
// pack holds a block of Samples, of the same width on every machine.
#pragma once

#include "sde/network/perceptron.hpp"
#include "sde/network/second_order.hpp"

namespace sde::network {
inline namespace SDE_SIMD_NAMESPACE {  // what it compiles depends on the register width

/// What is found of one set of samples.
struct Found {
  double objective = 0;  ///< mean over the samples, without weight decay
  double error = 0;      ///< share of samples whose largest output is another class's
};

/// For one thread.
class WholeSum {
  using T = Pack<double, Samples::kBlock>;
  static constexpr int kRows = 8;

  auto weights_of(const T& label) const {
    return [own = T(own_), other = T(other_), label](int c) { return select(label == T(c), own, other); };
  }
  T linearize(const T* o, const T& label, T* error) const {
    return with_objective(net_.objective, [&](auto objective) {
      return objective.linearize(net_.classes(), o, weights_of(label), error);
    });
  }
  /// Whether the first of the largest outputs is the label's.
  auto right(const T* o, const T& label) const {
    T own = T(0.0);
    for (int c = 0; c < net_.classes(); ++c) own = select(label == T(c), o[c], own);
    auto good = T(0.0) < T(1.0);
    for (int c = 0; c < net_.classes(); ++c)
      good = good & ((own > o[c]) | (T(c) == label) | ((own >= o[c]) & (T(c) > label)));
    return good;
  }

 public:
  /// `redraw`: probability that a label is another class's, over which L is the mean, too. `most`: of the first so many
  /// samples alone.
  WholeSum(const Architecture& net, const Samples& samples, double redraw, int most)
      : net_(net),
        samples_(samples),
        n_(std::min(samples.n, most)),
        own_(1 - redraw),
        other_(redraw / (net.classes() - 1)),
        second_(net, kRows),
        sums_(net.dim()) {}

  Found find(const double* theta) {
    T objective = T(0.0), wrong = T(0.0);
    through([&](int rows, int first) {
      second_.passes().forward(theta, rows);
      each_row(rows, first, [&](int s, const T& weight, const T& label) {
        const T* const o = second_.passes().outputs() + s * net_.classes();
        objective += weight * linearize(o, label, second_.passes().output_errors() + s * net_.classes());
        wrong += select(right(o, label), T(0.0), weight);
      });
    });
    return {total(objective), total(wrong)};
  }

  /// g[dim] of L with its weight decay.
  void gradient(const double* theta, double* g) {
    clear();
    through([&](int rows, int first) {
      auto& passes = second_.passes();
      passes.forward(theta, rows);
      each_row(rows, first, [&](int s, const T& weight, const T& label) {
        T* const error = passes.output_errors() + s * net_.classes();
        linearize(passes.outputs() + s * net_.classes(), label, error);
        for (int c = 0; c < net_.classes(); ++c) error[c] *= weight;
      });
      passes.backward(theta, rows, sums_.data());
    });
    take(theta, g);
  }

  /// out[dim] = Hess(L) u
  void hessian_vector(const double* theta, const double* u, double* out) {
    clear();
    through([&](int rows, int first) {
      auto& passes = second_.passes();
      second_.forward(theta, u, rows);
      each_row(rows, first, [&](int s, const T& weight, const T& label) {
        const int at = s * net_.classes();
        T *const error = passes.output_errors() + at, *const move = second_.output_error_moves() + at;
        linearize(passes.outputs() + at, label, error);
        with_objective(net_.objective, [&](auto objective) {
          objective.second(net_.classes(), error, weights_of(label), second_.output_moves() + at, move);
        });
        for (int c = 0; c < net_.classes(); ++c) error[c] *= weight, move[c] *= weight;
      });
      second_.backward(theta, u, rows, sums_.data());
    });
    take(u, out);
  }

 private:
  /// use(rows, first block) with the inputs of so many blocks in place.
  template <class Use>
  void through(Use use) {
    const int blocks = (n_ + Samples::kBlock - 1) / Samples::kBlock, size = samples_.features;
    for (int first = 0; first < blocks; first += kRows) {
      const int rows = std::min(kRows, blocks - first);
      for (int s = 0; s < rows; ++s) {
        const double* from[Samples::kBlock];
        for (int l = 0; l < Samples::kBlock; ++l)
          from[l] = samples_.x.data() + samples_.place((first + s) * Samples::kBlock + l);
        load_rows(from, size, second_.passes().values(0) + s * size);
      }
      use(rows, first);
    }
  }
  /// use(row, weight of each sample in the mean, label)
  template <class Use>
  void each_row(int rows, int first, Use use) const {
    for (int s = 0; s < rows; ++s) {
      T weight = T(0.0), label = T(0.0);
      for (int l = 0; l < Samples::kBlock; ++l) {
        const int sample = (first + s) * Samples::kBlock + l;
        if (sample >= n_) break;
        weight.set(l, 1.0 / n_);
        label.set(l, samples_.y[sample]);
      }
      use(s, weight, label);
    }
  }

  void clear() {
    for (int k = 0; k < net_.dim(); ++k) sums_[k] = T(0.0);
  }
  static double total(const T& x) {
    double sum = 0;
    for (int l = 0; l < Samples::kBlock; ++l) sum += x[l];
    return sum;
  }
  /// out = the sums and the weight decay of x
  void take(const double* x, double* out) const {
    for (int k = 0; k < net_.dim(); ++k) out[k] = total(sums_[k]) + net_.weight_decay * x[k];
  }

  const Architecture net_;
  const Samples& samples_;
  const int n_;
  const double own_, other_;
  SecondOrder<T> second_;
  Buffer<T, kDynamic> sums_;
};

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde::network
