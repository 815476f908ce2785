// Losses that are no square, with points near their Gamma: each in several forms, by which their derivatives are found
// in different ways.
#pragma once

#include <vector>

#include "sde/core/math.hpp"

namespace sde::test {

/// log(cosh(r)), without overflow; its second derivative is 1 at 0.
template <class T>
T log_cosh(const T& r) {
  const T size = abs(r);
  return size + log(exp(size * -2.0) + 1.0) - 0.69314718055994531;
}

/// Gamma: x0 x1 = 1. One pass finds all derivatives.
struct LogCosh {
  static constexpr int Dim = 2;
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    return log_cosh(x[0] * x[1] - 1.0);
  }
};
/// The same with all derivatives by hand.
struct LogCoshByHand : LogCosh {
  template <class T>
  void gradient(const T* x, T* g) const {
    const T slope = tanh(x[0] * x[1] - 1.0);
    g[0] = slope * x[1];
    g[1] = slope * x[0];
  }
  template <class T>
  void hessian(const T* x, T* H) const {
    const T t = tanh(x[0] * x[1] - 1.0), second = 1.0 - t * t;
    H[0] = second * x[1] * x[1];
    H[3] = second * x[0] * x[0];
    H[1] = H[2] = second * x[0] * x[1] + t;
  }
  template <class T>
  void third_along(const T* x, const T* u, T* out) const {
    const T t = tanh(x[0] * x[1] - 1.0), second = 1.0 - t * t, third = -2.0 * t * second;
    const T along = u[0] * x[1] + u[1] * x[0], twice = 2.0 * u[0] * u[1];
    out[0] = third * along * along * x[1] + second * (twice * x[1] + 2.0 * along * u[1]);
    out[1] = third * along * along * x[0] + second * (twice * x[0] + 2.0 * along * u[0]);
  }
};
/// Gamma: x0 x1 = 1, x2 = x0^2.
struct TwoNormals {
  static constexpr int Dim = 3;
  int dim() const { return 3; }
  template <class T>
  T value(const T* x) const {
    const T q = x[2] - x[0] * x[0];
    return log_cosh(x[0] * x[1] - 1.0) + (exp(q) - q - 1.0) * 0.7;
  }
};
/// Gamma: |x| = 1, in four dimensions.
struct Shell {
  static constexpr int Dim = 4;
  int dim() const { return 4; }
  template <class T>
  T value(const T* x) const {
    const T r = x[0] * x[0] + 0.5 * x[1] * x[1] + x[2] * x[2] + 2.0 * x[3] * x[3] - 1.0;
    return sqrt(r * r + 1.0) - 1.0 + 0.1 * r * r * r * r;
  }
};
/// Gamma is the plane x2 = 0 where x0 < 0, and the line x1 = x2 = 0 where x0 > 0.
struct TwoRanks {
  static constexpr int Dim = 3;
  int dim() const { return 3; }
  template <class T>
  T value(const T* x) const {
    const T plane = log_cosh((x[0] * x[0] * 0.5 + 1.0 + x[1] * x[1]) * x[2]);
    return plane + select(x[0] > T(0.0), log_cosh((exp(x[0]) + 0.3) * x[1]), T(0.0));
  }
};
/// Gamma: the two products of three coordinates are 1; x6 = x7 = sin x0. Too many for one pass.
struct ManyVariables {
  static constexpr int Dim = 8;
  int dim() const { return 8; }
  template <class T>
  T value(const T* x) const {
    const T first = x[0] * x[1] * x[2] - 1.0, second = x[3] * x[4] * x[5] - 1.0;
    const T sine = sin(x[0]), third = x[6] - sine, fourth = x[7] - sine;
    return log_cosh(first) + 0.5 * log_cosh(second) + (third * third + 0.5 * fourth * fourth) * 0.3;
  }
};
/// A loss that does not say its dimension.
template <class L>
struct AnySize {
  L loss;
  int dim() const { return loss.dim(); }
  template <class T>
  T value(const T* x) const {
    return loss.value(x);
  }
};

/// Calls use(name, loss, start[d]), several times for TwoRanks.
template <class Use>
void for_each_value_loss(Use use) {
  const std::vector<double> on_hyperbola{1.4, 0.8}, three{1.2, 0.9, 1.3}, shell{0.4, 0.6, -0.5, 0.3};
  const std::vector<double> many{1.2, 0.9, 1.1, -0.8, -1.2, 0.9, 0.8, 1.0};
  use("log-cosh", LogCosh{}, on_hyperbola);
  use("log-cosh by hand", LogCoshByHand{}, on_hyperbola);
  use("log-cosh of any size", AnySize<LogCosh>{}, on_hyperbola);
  use("two normals", TwoNormals{}, three);
  use("two normals of any size", AnySize<TwoNormals>{}, three);
  use("shell", Shell{}, shell);
  use("two ranks, plane", TwoRanks{}, std::vector<double>{-0.7, 0.4, 0.1});
  use("two ranks, line", TwoRanks{}, std::vector<double>{0.7, 0.1, 0.1});
  use("many variables", ManyVariables{}, many);
}

}  // namespace sde::test
