// Two-layer tanh network (theory.md section 7).
#pragma once

#include <algorithm>
#include <vector>

#include "sde/loss/concepts.hpp"
#include "sde/loss/data.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

/// Two-layer tanh network f(x) = sum_k a_k tanh(<w_k, x>), student against a teacher of the same form:
/// L = 1/(2n) sum_i (f(x_i) - f*(x_i))^2; theta = (a, w row by row), d = width (inputs + 1).
template <class Data>
struct TanhNetworkOf {
  int n = 16, inputs = 2, width = 10;
  Data X;  ///< n x inputs
  Data y;  ///< n teacher outputs
  int tests = 0;
  Data X_test;         ///< tests x inputs
  Data y_test;         ///< tests
  Data columns{};      ///< X transposed, on a device alone
  bool signs = false;  ///< the test error counts outputs of the wrong sign

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
                                        upload(transposed(X, n, inputs)),
                                        signs};
  }
  SDE_DEVICE int dim() const { return width * (inputs + 1); }
  SDE_DEVICE int residual_count() const { return n; }
  /// <w_k, x>, the preactivation of neuron k for an input; of a direction in theta's place, its derivative.
  template <class T, class Input>
  SDE_INLINE T preactivation(const T* theta, int k, const Input& x) const {
    const T* w = theta + width + k * inputs;
    T z = w[0] * x[0];
    for (int j = 1; j < inputs; ++j) z = z + w[j] * x[j];
    return z;
  }
  /// f(x): the forward pass, which everything below follows. neuron(k, t) is told of each activation t.
  template <class T, class Input, class Neuron>
  SDE_INLINE T forward(const T* theta, const Input& x, Neuron neuron) const {
    T sum = T(0.0);
    for (int k = 0; k < width; ++k) {
      const T t = tanh(preactivation(theta, k, x));
      sum = sum + theta[k] * t;
      neuron(k, t);
    }
    return sum;
  }
  template <class T>
  SDE_DEVICE T output(const T* theta, const double* x) const {
    return forward(theta, x, [](int, const T&) {});
  }
  template <class T>
  SDE_DEVICE void residuals(const T* theta, T* f) const {
    for (int i = 0; i < n; ++i) f[i] = residual(i, theta);
  }
  /// Adds weight * grad f(x) to g.
  template <class T>
  SDE_DEVICE void add_gradient(const T* theta, const double* x, const T& weight, T* g) const {
    forward(theta, x, [&](int k, const T& t) {
      g[k] += weight * t;
      const T s = weight * theta[k] * (T(1.0) - t * t);
      for (int j = 0; j < inputs; ++j) g[width + k * inputs + j] += s * x[j];
    });
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
      forward(theta, x, [&](int k, const T& t) {
        const T dz = preactivation(u, k, x), slope = T(1.0) - t * t;
        out[k] += c[i] * slope * dz;
        const T s = c[i] * slope * (u[k] - theta[k] * t * dz * 2.0);
        for (int j = 0; j < inputs; ++j) out[width + k * inputs + j] += s * x[j];
      });
    }
  }
  SDE_DEVICE int input_size() const { return inputs; }
  SDE_DEVICE auto input(int i) const { return input_of(X, columns, i, n, inputs); }
  SDE_DEVICE double label(int i) const { return y[i]; }
  /// With the tanh of each neuron in `activation`.
  template <class T, class Input, class Value>
  SDE_DEVICE void descend(T* theta, const Input& input, const Value& label, const T& error, const T& eta,
                          T* activation) const {
    const T sum = forward(static_cast<const T*>(theta), input, [&](int k, const T& t) { activation[k] = t; });
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
    const T sum = forward(theta, input, [&](int k, const T& t) {
      gradient[k] = t;
      const T slope = theta[k] * (T(1.0) - t * t);
      for (int j = 0; j < inputs; ++j) gradient[width + k * inputs + j] = slope * input[j];
    });
    return sum - label;
  }
  template <class T>
  SDE_DEVICE T residual(int i, const T* theta) const {
    return output(theta, &X[i * inputs]) - y[i];
  }
  /// What parameter j belongs to: its neuron, and for a weight the number of the input that it multiplies.
  SDE_DEVICE int neuron(int j) const { return j < width ? j : (j - width) / inputs; }
  SDE_DEVICE double input_of_weight(int i, int j) const { return X[i * inputs + (j - width) % inputs]; }
  template <class T>
  SDE_DEVICE T jacobian_entry(int i, int j, const T* theta) const {
    const int k = neuron(j);
    const T t = tanh(preactivation(theta, k, &X[i * inputs]));
    return j < width ? t : theta[k] * (T(1.0) - t * t) * input_of_weight(i, j);
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T* theta, const T* w) const {
    const int k = neuron(j);
    T g = T(0.0);
    for (int i = 0; i < n; ++i) {
      const T t = tanh(preactivation(theta, k, &X[i * inputs]));
      g += j < width ? w[i] * t : w[i] * theta[k] * (T(1.0) - t * t) * input_of_weight(i, j);
    }
    return g;
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int j, const T* theta, const T* c, const T* u) const {
    const int k = neuron(j);
    T out = T(0.0);
    for (int i = 0; i < n; ++i) {
      const T t = tanh(preactivation(theta, k, &X[i * inputs])), dz = preactivation(u, k, &X[i * inputs]);
      const T slope = T(1.0) - t * t;
      out += j < width ? c[i] * slope * dz : c[i] * slope * (u[k] - theta[k] * t * dz * 2.0) * input_of_weight(i, j);
    }
    return out;
  }
  /// On inputs of their own: the mean squared error, or with `signs` the share of outputs without their label's sign.
  SDE_DEVICE double test_error(const double* theta) const {
    double sum = 0;
    for (int i = 0; i < tests; ++i) {
      const double f = output(theta, &X_test[i * inputs]), e = f - y_test[i];
      sum += signs ? (f * y_test[i] > 0 ? 0.0 : 1.0) : e * e;
    }
    return sum / tests;
  }
};
/// The same with drawn inputs and a drawn teacher.
struct TanhNetwork : TanhNetworkOf<std::vector<double>> {
  std::vector<double> teacher;  ///< the teacher's parameters, as theta of its own width
  int teacher_width = 0;

  static constexpr const char *name = "tanh_network",
                              *formula = "1/(2n) sum_i (sum_k a_k tanh<w_k, x_i> - teacher(x_i))^2";
  static WithStart<TanhNetwork> make(Keys& keys) {
    const int n = static_cast<int>(keys.integer({"n", "samples"}, 16, 1, 65'535));
    const int inputs = static_cast<int>(keys.integer({"inputs", "numbers of an input"}, 2, 1, 10'000));
    const int width = static_cast<int>(keys.integer({"width", "neurons"}, 10, 1, 100'000));
    const int teacher = static_cast<int>(keys.integer({"teacher_width", "neurons of the teacher"}, 2, 1, 10'000));
    const auto seed = data_seed(keys);
    const TanhNetwork network(n, inputs, width, teacher, seed);
    const double scale = keys.positive({"start_scale", "standard deviation of the pairs of neurons that cancel"}, 1.0);
    return {network, network.interpolating_start(scale, seed)};
  }

  TanhNetwork() = default;
  TanhNetwork(int samples, int input_dim, int student_width, int width_of_teacher, std::uint64_t seed)
      : TanhNetworkOf{samples, input_dim, student_width, {}, {}, 256, {}, {}}, teacher_width(width_of_teacher) {
    TanhNetwork shape;
    shape.n = 0;
    shape.inputs = inputs;
    shape.width = teacher_width;
    teacher = normal_data(seed, 4, shape.dim());
    X = normal_data(seed, 5, n * inputs);
    X_test = normal_data(seed, 6, tests * inputs);
    for (int i = 0; i < n; ++i) y.push_back(shape.output(teacher.data(), &X[i * inputs]));
    for (int i = 0; i < tests; ++i) y_test.push_back(shape.output(teacher.data(), &X_test[i * inputs]));
  }
  /// A point of Gamma away from its simplest one: the teacher's neurons, and pairs of random neurons (standard
  /// deviation `scale`) that cancel. From small random starts neurons collapse, and Gamma's rank with them.
  std::vector<double> interpolating_start(double scale, std::uint64_t seed) const {
    auto theta = normal_data(seed, 9, dim());
    for (auto& v : theta) v *= scale;
    if (width < teacher_width) return theta;
    const auto row = [&](int k) { return theta.begin() + width + k * inputs; };
    for (int k = 0; k < teacher_width; ++k) {
      theta[k] = teacher[k];
      std::copy_n(teacher.begin() + teacher_width + k * inputs, inputs, row(k));
    }
    int k = teacher_width;
    for (; k + 1 < width; k += 2) {
      theta[k + 1] = -theta[k];
      std::copy_n(row(k), inputs, row(k + 1));
    }
    if (k < width) theta[k] = 0;
    return theta;
  }
};

}  // namespace sde::loss
