// Losses with data: least squares, diagonal linear network, two-layer tanh network, matrix sensing (theory.md section
// 7). The data are drawn from a seed, so an experiment file describes them completely. What a kernel needs of a loss is
// a template over where the data stand: in vectors, or (on_device) behind pointers to a GPU's memory.
#pragma once

#include <type_traits>
#include <vector>

#include "sde/core/columns.hpp"
#include "sde/loss/concepts.hpp"

namespace sde::loss {

/// `count` standard normals from (seed, what): the data sets of this file.
std::vector<double> normal_data(std::uint64_t seed, std::uint32_t what, int count);

/// A sample's input where a GPU's threads, which draw different samples, find theirs beside each other: in a column of
/// the transposed inputs.
struct Column {
  const double* first;
  int stride;
  SDE_DEVICE double operator[](int j) const { return first[j * stride]; }
};
/// The n x size inputs X as `size` x n.
inline std::vector<double> transposed(const std::vector<double>& X, int n, int size) {
  std::vector<double> columns(X.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < static_cast<std::size_t>(size); ++j)
      columns[j * static_cast<std::size_t>(n) + i] = X[i * static_cast<std::size_t>(size) + j];
  return columns;
}

/// Input i of n, each of `size` numbers: a row of X, on a device a column of X transposed.
template <class Data>
SDE_DEVICE auto input_of(const Data& X, const Data& columns, int i, int n, int size) {
  if constexpr (std::is_pointer_v<Data>)
    return Column{columns + i, n};
  else
    return &X[i * size];
}

/// Flat: least squares 1/(2n) |X theta - y|^2 with n < d equations. D3L = 0: no drift at all (a control).
template <class Data>
struct FlatOf {
  int n = 2, d = 4;
  Data X;          ///< n x d, row-major
  Data y;          ///< n
  Data columns{};  ///< X transposed, on a device alone

  template <class Upload>
  auto on_device(Upload upload) const {
    return FlatOf<const double*>{n, d, upload(X), upload(y), upload(transposed(X, n, d))};
  }
  SDE_DEVICE int dim() const { return d; }
  SDE_DEVICE int residual_count() const { return n; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    for (int i = 0; i < n; ++i) {
      T sum = T(-y[i]);
      for (int j = 0; j < d; ++j) sum = sum + x[j] * X[i * d + j];
      f[i] = sum;
    }
  }
  template <class T>
  SDE_DEVICE void jacobian(const T*, T* J) const {
    for (int k = 0; k < n * d; ++k) J[k] = T(X[k]);
  }
  template <class T>
  SDE_DEVICE void pullback(const T*, const T* w, T* g) const {
    for (int j = 0; j < d; ++j) g[j] = w[0] * X[j];
    for (int i = 1; i < n; ++i)
      for (int j = 0; j < d; ++j) g[j] += w[i] * X[i * d + j];
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T*, const T*, const T*, T* out) const {
    for (int j = 0; j < d; ++j) out[j] = T(0.0);
  }
  SDE_DEVICE int input_size() const { return d; }
  SDE_DEVICE auto input(int i) const { return input_of(X, columns, i, n, d); }
  SDE_DEVICE double label(int i) const { return y[i]; }
  template <class T, class Input, class Value>
  SDE_DEVICE T residual_of(const T* x, const Input& input, const Value& label) const {
    T sum = T(-label);
    for (int j = 0; j < d; ++j) sum = sum + x[j] * input[j];
    return sum;
  }
  template <class T, class Input, class Value>
  SDE_DEVICE T linearize(const T* x, const Input& input, const Value& label, T* gradient) const {
    for (int j = 0; j < d; ++j) gradient[j] = T(input[j]);
    return residual_of(x, input, label);
  }
  template <class T, class Input, class Value>
  SDE_DEVICE void descend(T* x, const Input& input, const Value& label, const T& error, const T& eta, T*) const {
    const T rate = eta * (residual_of(x, input, label) + error);
    for (int j = 0; j < d; ++j) x[j] = x[j] - rate * T(input[j]);
  }
  template <class T>
  SDE_DEVICE T residual(int i, const T* x) const {
    return residual_of(x, input(i), y[i]);
  }
  template <class T>
  SDE_DEVICE T jacobian_entry(int i, int j, const T*) const {
    return T(X[i * d + j]);
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T*, const T* w) const {
    T g = w[0] * X[j];
    for (int i = 1; i < n; ++i) g += w[i] * X[i * d + j];
    return g;
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int, const T*, const T*, const T*) const {
    return T(0.0);
  }
};
struct Flat : FlatOf<std::vector<double>> {
  Flat() = default;
  /// Standard normal X and y = X theta* for a standard normal theta*.
  Flat(int equations, int dimension, std::uint64_t seed);
};

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
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < p; ++j) {
        J[i * 2 * p + j] = x[j] * X[i * p + j] * 2.0;
        J[i * 2 * p + p + j] = x[p + j] * X[i * p + j] * -2.0;
      }
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
struct DiagonalNetwork : DiagonalNetworkOf<std::vector<double>> {
  DiagonalNetwork() = default;
  /// `sparsity` non-zero entries of the regressor, all 1.
  DiagonalNetwork(int samples, int features, int sparsity, std::uint64_t seed);
};

/// Two-layer tanh network f(x) = sum_k a_k tanh(<w_k, x>), student against a teacher of the same form:
/// L = 1/(2n) sum_i (f(x_i) - f*(x_i))^2; theta = (a, w row by row), d = width (inputs + 1).
template <class Data>
struct TanhNetworkOf {
  int n = 16, inputs = 2, width = 10;
  Data X;  ///< n x inputs
  Data y;  ///< n teacher outputs
  int tests = 0;
  Data X_test;     ///< tests x inputs
  Data y_test;     ///< tests
  Data columns{};  ///< X transposed, on a device alone

  template <class Upload>
  auto on_device(Upload upload) const {
    return TanhNetworkOf<const double*>{n,
                                        inputs,
                                        width,
                                        upload(X),
                                        upload(y),
                                        tests,
                                        upload(X_test),
                                        upload(y_test),
                                        upload(transposed(X, n, inputs))};
  }
  SDE_DEVICE int dim() const { return width * (inputs + 1); }
  SDE_DEVICE int residual_count() const { return n; }
  template <class T>
  SDE_DEVICE T output(const T* theta, const double* x) const {
    T sum = T(0.0);
    for (int k = 0; k < width; ++k) {
      const T* w = theta + width + k * inputs;
      T z = w[0] * x[0];
      for (int j = 1; j < inputs; ++j) z = z + w[j] * x[j];
      sum = sum + theta[k] * tanh(z);
    }
    return sum;
  }
  template <class T>
  SDE_DEVICE void residuals(const T* theta, T* f) const {
    for (int i = 0; i < n; ++i) f[i] = output(theta, &X[i * inputs]) - y[i];
  }
  /// Adds weight * grad f(x) to g.
  template <class T>
  SDE_DEVICE void add_gradient(const T* theta, const double* x, const T& weight, T* g) const {
    for (int k = 0; k < width; ++k) {
      const T* w = theta + width + k * inputs;
      T z = w[0] * x[0];
      for (int j = 1; j < inputs; ++j) z = z + w[j] * x[j];
      const T t = tanh(z);
      g[k] += weight * t;
      const T s = weight * theta[k] * (T(1.0) - t * t);
      for (int j = 0; j < inputs; ++j) g[width + k * inputs + j] += s * x[j];
    }
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* theta, T* J) const {
    const int d = dim();
    for (int i = 0; i < n * d; ++i) J[i] = T(0.0);
    for (int i = 0; i < n; ++i) add_gradient(theta, &X[i * inputs], T(1.0), J + i * d);
  }
  template <class T>
  SDE_DEVICE void pullback(const T* theta, const T* w, T* g) const {
    for (int j = 0; j < dim(); ++j) g[j] = T(0.0);
    for (int i = 0; i < n; ++i) add_gradient(theta, &X[i * inputs], w[i], g);
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T* theta, const T* c, const T* u, T* out) const {
    for (int j = 0; j < dim(); ++j) out[j] = T(0.0);
    for (int i = 0; i < n; ++i) {
      const double* x = &X[i * inputs];
      for (int k = 0; k < width; ++k) {
        const T* w = theta + width + k * inputs;
        const T* du = u + width + k * inputs;
        T z = w[0] * x[0], dz = du[0] * x[0];
        for (int j = 1; j < inputs; ++j) {
          z = z + w[j] * x[j];
          dz = dz + du[j] * x[j];
        }
        const T t = tanh(z);
        const T slope = T(1.0) - t * t;
        out[k] += c[i] * slope * dz;
        const T s = c[i] * slope * (u[k] - theta[k] * t * dz * 2.0);
        for (int j = 0; j < inputs; ++j) out[width + k * inputs + j] += s * x[j];
      }
    }
  }
  SDE_DEVICE int input_size() const { return inputs; }
  SDE_DEVICE auto input(int i) const { return input_of(X, columns, i, n, inputs); }
  SDE_DEVICE double label(int i) const { return y[i]; }
  /// With the tanh of each neuron in `activation`.
  template <class T, class Input, class Value>
  SDE_DEVICE void descend(T* theta, const Input& input, const Value& label, const T& error, const T& eta,
                          T* activation) const {
    T sum = T(0.0);
    for (int k = 0; k < width; ++k) {
      const T* w = theta + width + k * inputs;
      T z = w[0] * input[0];
      for (int j = 1; j < inputs; ++j) z = z + w[j] * input[j];
      activation[k] = tanh(z);
      sum = sum + theta[k] * activation[k];
    }
    const T rate = eta * (sum - label + error);
    for (int k = 0; k < width; ++k) {
      T* w = theta + width + k * inputs;
      const T t = activation[k];
      const T slope = theta[k] * (T(1.0) - t * t);
      theta[k] = theta[k] - rate * t;
      for (int j = 0; j < inputs; ++j) w[j] = w[j] - rate * (slope * input[j]);
    }
  }
  template <class T, class Input, class Value>
  SDE_DEVICE T linearize(const T* theta, const Input& input, const Value& label, T* gradient) const {
    T sum = T(0.0);
    for (int k = 0; k < width; ++k) {
      const T* w = theta + width + k * inputs;
      T z = w[0] * input[0];
      for (int j = 1; j < inputs; ++j) z = z + w[j] * input[j];
      const T t = tanh(z);
      sum = sum + theta[k] * t;
      gradient[k] = t;
      const T slope = theta[k] * (T(1.0) - t * t);
      for (int j = 0; j < inputs; ++j) gradient[width + k * inputs + j] = slope * input[j];
    }
    return sum - label;
  }
  template <class T>
  SDE_DEVICE T residual(int i, const T* theta) const {
    return output(theta, &X[i * inputs]) - y[i];
  }
  /// <w_k, x_i>
  template <class T>
  SDE_DEVICE T preactivation(int k, int i, const T* theta) const {
    const T* w = theta + width + k * inputs;
    const double* x = &X[i * inputs];
    T z = w[0] * x[0];
    for (int j = 1; j < inputs; ++j) z = z + w[j] * x[j];
    return z;
  }
  /// The neuron that parameter j belongs to.
  SDE_DEVICE int neuron(int j) const { return j < width ? j : (j - width) / inputs; }
  template <class T>
  SDE_DEVICE T jacobian_entry(int i, int j, const T* theta) const {
    const int k = neuron(j);
    const T t = tanh(preactivation(k, i, theta));
    return j < width ? t : theta[k] * (T(1.0) - t * t) * X[i * inputs + (j - width) % inputs];
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T* theta, const T* w) const {
    const int k = neuron(j);
    T g = T(0.0);
    for (int i = 0; i < n; ++i) {
      const T t = tanh(preactivation(k, i, theta));
      g += j < width ? w[i] * t : w[i] * theta[k] * (T(1.0) - t * t) * X[i * inputs + (j - width) % inputs];
    }
    return g;
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int j, const T* theta, const T* c, const T* u) const {
    const int k = neuron(j);
    T out = T(0.0);
    for (int i = 0; i < n; ++i) {
      const T t = tanh(preactivation(k, i, theta)), dz = preactivation(k, i, u);
      const T slope = T(1.0) - t * t;
      out += j < width ? c[i] * slope * dz
                       : c[i] * slope * (u[k] - theta[k] * t * dz * 2.0) * X[i * inputs + (j - width) % inputs];
    }
    return out;
  }
  /// Mean squared error on inputs of their own.
  SDE_DEVICE double test_error(const double* theta) const {
    double sum = 0;
    for (int i = 0; i < tests; ++i) {
      const double e = output(theta, &X_test[i * inputs]) - y_test[i];
      sum += e * e;
    }
    return sum / tests;
  }
};
struct TanhNetwork : TanhNetworkOf<std::vector<double>> {
  std::vector<double> teacher;  ///< the teacher's parameters, as theta of its own width
  int teacher_width = 0;

  TanhNetwork() = default;
  TanhNetwork(int samples, int input_dim, int student_width, int width_of_teacher, std::uint64_t seed);
  /// A point of Gamma away from its simplest one: the teacher's neurons, and pairs of random neurons (standard
  /// deviation `scale`) that cancel. From small random starts neurons collapse, and Gamma's rank with them.
  std::vector<double> interpolating_start(double scale, std::uint64_t seed) const;
};

/// Matrix sensing 1/(2n) sum_i (<A_i, U U^T> - y_i)^2 with U in R^{size x rank}, theta = U row-major, and labels from a
/// ground truth of rank `true_rank`. The test error is |U U^T - M*|_F^2 / size^2.
template <class Data>
struct MatrixSensingOf {
  int n = 10, size = 4, rank = 4;
  Data A;  ///< n symmetric size x size matrices
  Data y;
  Data target;     ///< M*, size x size
  Data columns{};  ///< A transposed, on a device alone

  template <class Upload>
  auto on_device(Upload upload) const {
    return MatrixSensingOf<const double*>{
        n, size, rank, upload(A), upload(y), upload(target), upload(transposed(A, n, size * size))};
  }
  SDE_DEVICE int dim() const { return size * rank; }
  SDE_DEVICE int residual_count() const { return n; }
  /// out[size*rank] = (sum_i w_i A_i) U, times scale.
  template <class T>
  SDE_DEVICE void weighted_product(const T* U, const T* w, double scale, T* out) const {
    for (int k = 0; k < dim(); ++k) out[k] = T(0.0);
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < size; ++b) {
        T s = w[0] * A[a * size + b];
        for (int i = 1; i < n; ++i) s += w[i] * A[(i * size + a) * size + b];
        s = s * scale;
        for (int r = 0; r < rank; ++r) out[a * rank + r] += s * U[b * rank + r];
      }
  }
  template <class T>
  SDE_DEVICE void residuals(const T* U, T* f) const {
    for (int i = 0; i < n; ++i) f[i] = T(-y[i]);
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < size; ++b) {
        T m = U[a * rank] * U[b * rank];
        for (int r = 1; r < rank; ++r) m = m + U[a * rank + r] * U[b * rank + r];
        for (int i = 0; i < n; ++i) f[i] = f[i] + m * A[(i * size + a) * size + b];
      }
  }
  /// grad f_i = 2 A_i U.
  template <class T>
  SDE_DEVICE void jacobian(const T* U, T* J) const {
    for (int i = 0; i < n; ++i)
      for (int a = 0; a < size; ++a) {
        T* row = J + (i * size + a) * rank;
        for (int r = 0; r < rank; ++r) row[r] = T(0.0);
        for (int b = 0; b < size; ++b)
          for (int r = 0; r < rank; ++r) row[r] += U[b * rank + r] * (2.0 * A[(i * size + a) * size + b]);
      }
  }
  template <class T>
  SDE_DEVICE void pullback(const T* U, const T* w, T* g) const {
    weighted_product(U, w, 2.0, g);
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    weighted_product(u, c, 2.0, out);
  }
  SDE_DEVICE int input_size() const { return size * size; }
  SDE_DEVICE auto input(int i) const { return input_of(A, columns, i, n, size * size); }
  SDE_DEVICE double label(int i) const { return y[i]; }
  template <class T, class Input, class Value>
  SDE_DEVICE T residual_of(const T* U, const Input& input, const Value& label) const {
    T f = T(-label);
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < size; ++b) {
        T m = U[a * rank] * U[b * rank];
        for (int r = 1; r < rank; ++r) m = m + U[a * rank + r] * U[b * rank + r];
        f = f + m * input[a * size + b];
      }
    return f;
  }
  template <class T, class Input, class Value>
  SDE_DEVICE T linearize(const T* U, const Input& input, const Value& label, T* gradient) const {
    for (int a = 0; a < size; ++a) {
      T* row = gradient + a * rank;
      for (int r = 0; r < rank; ++r) row[r] = T(0.0);
      for (int b = 0; b < size; ++b)
        for (int r = 0; r < rank; ++r) row[r] += U[b * rank + r] * (2.0 * input[a * size + b]);
    }
    return residual_of(U, input, label);
  }
  template <class T>
  SDE_DEVICE T residual(int i, const T* U) const {
    return residual_of(U, input(i), y[i]);
  }
  template <class T>
  SDE_DEVICE T jacobian_entry(int i, int j, const T* U) const {
    const int a = j / rank, r = j % rank;
    T sum = T(0.0);
    for (int b = 0; b < size; ++b) sum += U[b * rank + r] * (2.0 * A[(i * size + a) * size + b]);
    return sum;
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T* U, const T* w) const {
    const int a = j / rank, r = j % rank;
    T sum = T(0.0);
    for (int b = 0; b < size; ++b) {
      T s = w[0] * A[a * size + b];
      for (int i = 1; i < n; ++i) s += w[i] * A[(i * size + a) * size + b];
      sum += s * 2.0 * U[b * rank + r];
    }
    return sum;
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int j, const T*, const T* c, const T* u) const {
    return pullback_entry(j, u, c);
  }
  SDE_DEVICE double test_error(const double* U) const {
    double sum = 0;
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < size; ++b) {
        double m = -target[a * size + b];
        for (int r = 0; r < rank; ++r) m += U[a * rank + r] * U[b * rank + r];
        sum += m * m;
      }
    return sum / (size * size);
  }
};
struct MatrixSensing : MatrixSensingOf<std::vector<double>> {
  MatrixSensing() = default;
  MatrixSensing(int measurements, int matrix_size, int factor_rank, int true_rank, std::uint64_t seed);
};

}  // namespace sde::loss
