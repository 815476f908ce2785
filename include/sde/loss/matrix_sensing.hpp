// Matrix sensing (theory.md section 7).
#pragma once

#include <vector>

#include "sde/loss/concepts.hpp"
#include "sde/loss/data.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

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
  /// grad f_i = 2 A_i U.
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
/// The same with drawn A_i and a matrix of low rank behind the y_i.
struct MatrixSensing : MatrixSensingOf<std::vector<double>> {
  static constexpr const char *name = "matrix_sensing", *formula = "1/(2n) sum_i (<A_i, U U^T> - y_i)^2";
  static WithStart<MatrixSensing> make(Keys& keys) {
    const int n = static_cast<int>(keys.integer({"n", "measurements A_i"}, 5, 1, 10'000));
    const int size = static_cast<int>(keys.integer({"size", "rows of U"}, 4, 1, 1000));
    const int rank = static_cast<int>(keys.integer({"rank", "columns of U (default: size)"}, size, 1, 1000));
    const int truth = static_cast<int>(keys.integer({"true_rank", "of the matrix behind the labels"}, 1, 1, size));
    const auto seed = data_seed(keys);
    const double scale = keys.positive({"start_scale", "standard deviation of the start's entries"}, 1.0);
    return {MatrixSensing(n, size, rank, truth, seed), random_start(size * rank, scale, seed)};
  }

  MatrixSensing() = default;
  MatrixSensing(int measurements, int matrix_size, int factor_rank, int true_rank, std::uint64_t seed)
      : MatrixSensingOf{measurements,
                        matrix_size,
                        factor_rank,
                        normal_data(seed, 7, measurements * matrix_size * matrix_size),
                        std::vector<double>(static_cast<std::size_t>(measurements)),
                        std::vector<double>(static_cast<std::size_t>(matrix_size * matrix_size))} {
    for (int i = 0; i < n; ++i)
      for (int a = 0; a < size; ++a)
        for (int b = 0; b < a; ++b) {
          double& lower = A[(i * size + a) * size + b];
          double& upper = A[(i * size + b) * size + a];
          lower = upper = 0.5 * (lower + upper);
        }
    const auto truth = normal_data(seed, 8, size * true_rank);
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < size; ++b)
        for (int r = 0; r < true_rank; ++r)
          target[a * size + b] += truth[a * true_rank + r] * truth[b * true_rank + r] / true_rank;
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < size * size; ++k) y[i] += A[i * size * size + k] * target[k];
  }
};

}  // namespace sde::loss
