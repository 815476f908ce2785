// Diagonal linear network (theory.md section 7).
#pragma once

#include <vector>

#include "sde/core/columns.hpp"
#include "sde/loss/concepts.hpp"
#include "sde/loss/data.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

/// Diagonal linear network 1/(2n) sum_i (<u*u - v*v, x_i> - y_i)^2, theta = (u, v), d = 2 p. The labels are those of a
/// sparse regressor; the test error is the mean squared error on fresh inputs.
template <class Data>
struct DiagonalNetworkOf {
  int n = 20, p = 20;
  Data X;          ///< n x p inputs
  Data y;          ///< n labels
  Data target;     ///< p, the sparse regressor
  Data columns{};  ///< X transposed, on a device alone

  template <class Upload>
  auto on_device(Upload upload) const {
    return DiagonalNetworkOf<const double*>{n, p, upload(X), upload(y), upload(target), upload(transposed(X, n, p))};
  }
  SDE_DEVICE int dim() const { return 2 * p; }
  SDE_DEVICE int residual_count() const { return n; }
  template <class T>
  SDE_INLINE T beta(const T* x, int j) const {
    return x[j] * x[j] - x[p + j] * x[p + j];
  }
  /// add(s, j): term j of <beta, x_i> goes to sum number s of four, because each of a chain of additions would wait for
  /// the last one; in_all() of them is the residual.
  template <class Add>
  SDE_INLINE void in_four_sums(Add add) const {
    int j = 0;
    for (; j + 4 <= p; j += 4)
      for (int s = 0; s < 4; ++s) add(s, j + s);
    for (; j < p; ++j) add(0, j);
  }
  template <class T>
  SDE_INLINE static T in_all(const T& s0, const T& s1, const T& s2, const T& s3) {
    return (s0 + s1) + (s2 + s3);
  }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    over_columns<T>(0, n, Solo{}, [&]<class Block>(Block, int first) {
      T sums[4][Block::columns];
      for (int u = 0; u < Block::columns; ++u) {
        sums[0][u] = T(-y[first + u]);
        sums[1][u] = sums[2][u] = sums[3][u] = T(0.0);
      }
      in_four_sums([&](int s, int j) {
        const T coefficient = beta(x, j);
        for (int u = 0; u < Block::columns; ++u) sums[s][u] = sums[s][u] + coefficient * X[(first + u) * p + j];
      });
      for (int u = 0; u < Block::columns; ++u) f[first + u] = in_all(sums[0][u], sums[1][u], sums[2][u], sums[3][u]);
    });
  }
  /// s[j] = sum_i w_i X_ij, by which all first and second derivatives scale.
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    over_columns<T>(0, p, Solo{}, [&]<class Block>(Block, int first) {
      T s[Block::columns];
      for (int u = 0; u < Block::columns; ++u) s[u] = w[0] * X[first + u];
      for (int i = 1; i < n; ++i)
        for (int u = 0; u < Block::columns; ++u) s[u] += w[i] * X[i * p + first + u];
      for (int u = 0; u < Block::columns; ++u) {
        const int j = first + u;
        g[j] = s[u] * x[j] * 2.0;
        g[p + j] = s[u] * x[p + j] * -2.0;
      }
    });
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    pullback(u, c, out);
  }
  SDE_DEVICE int input_size() const { return p; }
  SDE_DEVICE auto input(int i) const { return input_of(X, columns, i, n, p); }
  SDE_DEVICE double label(int i) const { return y[i]; }
  template <class T, class Input, class Value>
  SDE_DEVICE T residual_of(const T* x, const Input& input, const Value& label) const {
    T sums[4] = {T(-label), T(0.0), T(0.0), T(0.0)};
    in_four_sums([&](int s, int j) { sums[s] = sums[s] + beta(x, j) * input[j]; });
    return in_all(sums[0], sums[1], sums[2], sums[3]);
  }
  template <class T, class Input, class Value>
  SDE_DEVICE void descend(T* x, const Input& input, const Value& label, const T& error, const T& eta, T*) const {
    const T twice = eta * (residual_of(x, input, label) + error) * 2.0;  // exact: the same bits as of rate * gradient
    for (int j = 0; j < p; ++j) {
      x[j] = x[j] - twice * (x[j] * input[j]);
      x[p + j] = x[p + j] + twice * (x[p + j] * input[j]);
    }
  }
  template <class T, class Input, class Value>
  SDE_DEVICE T linearize(const T* x, const Input& input, const Value& label, T* gradient) const {
    for (int j = 0; j < p; ++j) {
      gradient[j] = x[j] * input[j] * 2.0;
      gradient[p + j] = x[p + j] * input[j] * -2.0;
    }
    return residual_of(x, input, label);
  }
  template <class T>
  SDE_DEVICE T residual(int i, const T* x) const {
    return residual_of(x, input(i), y[i]);
  }
  template <class T>
  SDE_DEVICE T jacobian_entry(int i, int j, const T* x) const {
    return j < p ? x[j] * X[i * p + j] * 2.0 : x[j] * X[i * p + j - p] * -2.0;
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T* x, const T* w) const {
    const int feature = j < p ? j : j - p;
    T s = w[0] * X[feature];
    for (int i = 1; i < n; ++i) s += w[i] * X[i * p + feature];
    return s * x[j] * (j < p ? 2.0 : -2.0);
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int j, const T*, const T* c, const T* u) const {
    return pullback_entry(j, u, c);
  }
  /// Standard normal inputs: the expected squared error is |u^2 - v^2 - target|^2 in closed form.
  SDE_DEVICE double test_error(const double* theta) const {
    double sum = 0;
    for (int j = 0; j < p; ++j) {
      const double e = theta[j] * theta[j] - theta[p + j] * theta[p + j] - target[j];
      sum += e * e;
    }
    return sum;
  }
};
/// The same with n drawn inputs x_i and a sparse regressor behind the y_i.
struct DiagonalNetwork : DiagonalNetworkOf<std::vector<double>> {
  static constexpr const char *name = "diagonal_network", *formula = "1/(2n) sum_i (<u*u - v*v, x_i> - y_i)^2";
  static WithStart<DiagonalNetwork> make(Keys& keys) {
    const int p = static_cast<int>(keys.integer({"features", "p, numbers of an input"}, 20, 1, 100'000));
    const int n = static_cast<int>(keys.integer({"n", "samples"}, 10, 1, 10'000));
    const int sparsity =
        static_cast<int>(keys.integer({"sparsity", "of the true regressor: so many entries are 1"}, 2, 1, p));
    const double scale = keys.positive({"start_scale", "every entry of the start"}, 0.5);
    return {DiagonalNetwork(n, p, sparsity, data_seed(keys)),
            std::vector<double>(2 * static_cast<std::size_t>(p), scale)};
  }

  DiagonalNetwork() = default;
  /// `sparsity` non-zero entries of the regressor, all 1.
  DiagonalNetwork(int samples, int features, int sparsity, std::uint64_t seed)
      : DiagonalNetworkOf{samples, features, normal_data(seed, 3, samples * features),
                          std::vector<double>(static_cast<std::size_t>(samples)),
                          std::vector<double>(static_cast<std::size_t>(features))} {
    for (int j = 0; j < sparsity; ++j) target[j] = 1.0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < p; ++j) y[i] += X[i * p + j] * target[j];
  }
};

}  // namespace sde::loss
