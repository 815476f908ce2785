// Flat (theory.md section 7).
#pragma once

#include <string>
#include <vector>

#include "sde/loss/concepts.hpp"
#include "sde/loss/data.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

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
    for (int i = 0; i < n; ++i) f[i] = residual_of(x, &X[i * d], y[i]);
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
/// The same with drawn X and y.
struct Flat : FlatOf<std::vector<double>> {
  static constexpr const char *name = "flat", *formula = "1/(2n) |X theta - y|^2, n < d";
  static WithStart<Flat> make(Keys& keys) {
    const int d = static_cast<int>(keys.integer({"d", "unknowns"}, 4, 2, 10'000));
    const int n = static_cast<int>(keys.integer({"n", "equations, fewer than d"}, 2, 1, 10'000));
    if (n >= d) keys.expected("n", "fewer equations than unknowns (n < d = " + std::to_string(d) + ")", n);
    return {Flat(n, d, data_seed(keys)), std::vector<double>(static_cast<std::size_t>(d), 0.0)};
  }

  Flat() = default;
  /// Standard normal X and y = X theta* for a standard normal theta*.
  Flat(int equations, int dimension, std::uint64_t seed)
      : FlatOf{equations, dimension, normal_data(seed, 1, equations * dimension),
               std::vector<double>(static_cast<std::size_t>(equations))} {
    const auto truth = normal_data(seed, 2, d);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < d; ++j) y[i] += X[i * d + j] * truth[j];
  }
};

}  // namespace sde::loss
