// The small losses of theory.md section 7, all of the form 1/2 f(theta)^2 (one residual). Derivatives written by hand
// are overrides for speed; tests/test_losses.cpp holds each to the automatic ones.
#pragma once

#include "sde/loss/concepts.hpp"

namespace sde::loss {

/// Valley 1/2 h(u) v^2 at theta = (u, v). Gamma = {v = 0}, sharpness h(u).
struct Valley {
  static constexpr int Dim = 2, Residuals = 1;
  enum class Profile { quadratic, exponential };  ///< h = 1 + u^2, or h = exp(c u)
  Profile profile = Profile::quadratic;
  double c = 1.0;

  int dim() const { return 2; }
  int residual_count() const { return 1; }
  /// sqrt(h(u))
  template <class T>
  T root(const T& u) const {
    if (profile == Profile::quadratic) return sqrt(u * u + 1.0);
    return exp(u * (0.5 * c));
  }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = root(x[0]) * x[1];
  }
  template <class T>
  void jacobian(const T* x, T* J) const {
    const T r = root(x[0]);
    const T slope = profile == Profile::quadratic ? x[0] / r : r * (0.5 * c);
    J[0] = slope * x[1];
    J[1] = r;
  }
  template <class T>
  void pullback(const T* x, const T* w, T* g) const {
    jacobian(x, g);
    g[0] *= w[0];
    g[1] *= w[0];
  }
};

/// Hyperbola 1/2 (x y - 1)^2. Gamma = {x y = 1}, sharpness x^2 + y^2 = sqrt(q^2 + 4), q = x^2 - y^2.
struct Hyperbola {
  static constexpr int Dim = 2, Residuals = 1;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = x[0] * x[1] - 1.0;
  }
  template <class T>
  void jacobian(const T* x, T* J) const {
    J[0] = x[1];
    J[1] = x[0];
  }
  template <class T>
  void pullback(const T* x, const T* w, T* g) const {
    g[0] = w[0] * x[1];
    g[1] = w[0] * x[0];
  }
  template <class T>
  void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    out[0] = c[0] * u[1];
    out[1] = c[0] * u[0];
  }
};

/// Chain 1/2 (w_1 ... w_D - 1)^2 of depth D >= 2: a deep linear network of width one.
struct Chain {
  static constexpr int Residuals = 1;
  int depth = 3;
  int dim() const { return depth; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* w, T* f) const {
    T product = w[0];
    for (int i = 1; i < depth; ++i) product = product * w[i];
    f[0] = product - 1.0;
  }
  /// Products of all factors but one, from the left and from the right: no division, so zeros are allowed.
  template <class T>
  void jacobian(const T* w, T* J) const {
    J[0] = T(1.0);
    for (int i = 1; i < depth; ++i) J[i] = J[i - 1] * w[i - 1];
    T right = w[depth - 1];
    for (int i = depth - 2; i >= 0; --i) {
      J[i] = J[i] * right;
      right = right * w[i];
    }
  }
  template <class T>
  void pullback(const T* x, const T* w, T* g) const {
    jacobian(x, g);
    for (int i = 0; i < depth; ++i) g[i] *= w[0];
  }
};

/// Sphere 1/4 (|x|^2 - 1)^2 in R^d, d >= 2. Gamma is the unit sphere, sharpness 2 everywhere: no drift (a control).
struct Sphere {
  static constexpr int Residuals = 1;
  static constexpr double kScale = 0.70710678118654752440;  // f = (|x|^2 - 1)/sqrt(2), so 1/2 f^2 = L
  int d = 3;
  int dim() const { return d; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* x, T* f) const {
    T sum = x[0] * x[0];
    for (int i = 1; i < d; ++i) sum = sum + x[i] * x[i];
    f[0] = (sum - 1.0) * kScale;
  }
  template <class T>
  void jacobian(const T* x, T* J) const {
    for (int i = 0; i < d; ++i) J[i] = x[i] * (2.0 * kScale);
  }
  template <class T>
  void pullback(const T* x, const T* w, T* g) const {
    for (int i = 0; i < d; ++i) g[i] = w[0] * (x[i] * (2.0 * kScale));
  }
  template <class T>
  void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    for (int i = 0; i < d; ++i) out[i] = c[0] * (u[i] * (2.0 * kScale));
  }
};

/// Ring 1/2 (1 + a x)(x^2 + y^2 - 1)^2 with |a| < 1. Gamma is the unit circle, sharpness 4 (1 + a x).
/// Outside 1 + a x > 0 the loss is not a square: such a path has left the domain (its value is not a number).
struct Ring {
  static constexpr int Dim = 2, Residuals = 1;
  double a = 0.5;
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = sqrt(x[0] * a + 1.0) * (x[0] * x[0] + x[1] * x[1] - 1.0);
  }
  template <class T>
  void jacobian(const T* x, T* J) const {
    const T root = sqrt(x[0] * a + 1.0);
    const T rho = x[0] * x[0] + x[1] * x[1] - 1.0;
    J[0] = rho * (0.5 * a) / root + root * x[0] * 2.0;
    J[1] = root * x[1] * 2.0;
  }
  template <class T>
  void pullback(const T* x, const T* w, T* g) const {
    // f = root * rho, so w J for w = f needs no square root in exact arithmetic; kept general for label noise.
    jacobian(x, g);
    g[0] *= w[0];
    g[1] *= w[0];
  }
};

}  // namespace sde::loss
