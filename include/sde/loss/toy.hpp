// The small losses of theory.md section 7, all of the form 1/2 f(theta)^2 (one residual). Derivatives written by hand
// are overrides for speed; tests/test_losses.cpp holds each to the automatic ones.
#pragma once

#include <limits>

#include "sde/loss/concepts.hpp"

namespace sde::loss {

/// t <- the root of a t^2 + 2 b t + c that goes to 0 with c, for b > 0. Returns the lanes where there is none.
template <class T>
SDE_INLINE auto near_root(const T& a, const T& b, const T& c, T& t) {
  const T inside = b * b - a * c;
  const auto found = (inside >= T(0.0)) & (b > T(0.0));
  t = -c / (b + sqrt(select(found, inside, T(1.0))));
  return !found;
}

/// Valley 1/2 h(u) v^2 at theta = (u, v). Gamma = {v = 0}, sharpness h(u).
struct Valley {
  static constexpr int Dim = 2, Residuals = 1;
  enum class Profile { quadratic, exponential };  ///< h = 1 + u^2, or h = exp(c u)
  Profile profile = Profile::quadratic;
  double c = 1.0;

  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  /// sqrt(h(u))
  template <class T>
  SDE_DEVICE T root(const T& u) const {
    if (profile == Profile::quadratic) return sqrt(u * u + 1.0);
    return exp(u * (0.5 * c));
  }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = root(x[0]) * x[1];
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    const T r = root(x[0]);
    const T slope = profile == Profile::quadratic ? x[0] * (T(1.0) / r) : r * (0.5 * c);
    J[0] = slope * x[1];
    J[1] = r;
  }
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    jacobian(x, g);
    g[0] *= w[0];
    g[1] *= w[0];
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T* x, const T* c, const T* u, T* out) const {
    const T r = root(x[0]);
    const bool quadratic = profile == Profile::quadratic;
    const T inverse = quadratic ? T(1.0) / r : T(0.0);
    const T first = quadratic ? x[0] * inverse : r * (0.5 * this->c);
    const T second = quadratic ? inverse * inverse * inverse : r * (0.25 * this->c * this->c);
    out[0] = c[0] * (second * x[1] * u[0] + first * u[1]);
    out[1] = c[0] * (first * u[0]);
  }
  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    const T t = x[1] / v[1];
    x[0] -= t * v[0];
    x[1] = T(0.0);
    return !((abs(t) <= T(1e8)) & (abs(x[0]) <= T(1e8)));
  }
};

/// Hyperbola 1/2 (x y - 1)^2. Gamma = {x y = 1}, sharpness x^2 + y^2 = sqrt(q^2 + 4), q = x^2 - y^2.
struct Hyperbola {
  static constexpr int Dim = 2, Residuals = 1;
  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = x[0] * x[1] - 1.0;
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    J[0] = x[1];
    J[1] = x[0];
  }
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    g[0] = w[0] * x[1];
    g[1] = w[0] * x[0];
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    out[0] = c[0] * u[1];
    out[1] = c[0] * u[0];
  }
  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    T t;
    const auto lost = near_root(v[0] * v[1], (x[0] * v[1] + x[1] * v[0]) * 0.5, x[0] * x[1] - 1.0, t);
    x[0] += t * v[0];
    x[1] += t * v[1];
    return lost;
  }
};

/// Chain 1/2 (w_1 ... w_D - 1)^2 of depth D >= 2: a deep linear network of width one.
struct Chain {
  static constexpr int Residuals = 1;
  int depth = 3;
  SDE_DEVICE int dim() const { return depth; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* w, T* f) const {
    T product = w[0];
    for (int i = 1; i < depth; ++i) product = product * w[i];
    f[0] = product - 1.0;
  }
  /// Products of all factors but one, from the left and from the right: no division, so zeros are allowed.
  template <class T>
  SDE_DEVICE void jacobian(const T* w, T* J) const {
    J[0] = T(1.0);
    for (int i = 1; i < depth; ++i) J[i] = J[i - 1] * w[i - 1];
    T right = w[depth - 1];
    for (int i = depth - 2; i >= 0; --i) {
      J[i] = J[i] * right;
      right = right * w[i];
    }
  }
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    jacobian(x, g);
    for (int i = 0; i < depth; ++i) g[i] *= w[0];
  }
};

/// x[d] <- the point of the unit sphere on the line x + t v near x. Returns the lanes where there is none.
template <class T>
SDE_INLINE auto intersect_sphere(int d, const T* v, T* x) {
  T a = v[0] * v[0], b = x[0] * v[0], c = x[0] * x[0];
  for (int i = 1; i < d; ++i) {
    a += v[i] * v[i];
    b += x[i] * v[i];
    c += x[i] * x[i];
  }
  T t;
  const auto lost = near_root(a, b, c - T(1.0), t);
  for (int i = 0; i < d; ++i) x[i] += t * v[i];
  return lost;
}

/// Sphere 1/4 (|x|^2 - 1)^2 in R^d, d >= 2. Gamma is the unit sphere, sharpness 2 everywhere: no drift (a control).
struct Sphere {
  static constexpr int Residuals = 1;
  static constexpr double kScale = 0.70710678118654752440;  // f = (|x|^2 - 1)/sqrt(2), so 1/2 f^2 = L
  int d = 3;
  SDE_DEVICE int dim() const { return d; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    T sum = x[0] * x[0];
    for (int i = 1; i < d; ++i) sum = sum + x[i] * x[i];
    f[0] = (sum - 1.0) * kScale;
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    for (int i = 0; i < d; ++i) J[i] = x[i] * (2.0 * kScale);
  }
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    for (int i = 0; i < d; ++i) g[i] = w[0] * (x[i] * (2.0 * kScale));
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T*, const T* c, const T* u, T* out) const {
    for (int i = 0; i < d; ++i) out[i] = c[0] * (u[i] * (2.0 * kScale));
  }
  template <class T>
  SDE_DEVICE T residual(int, const T* x) const {
    T f;
    residuals(x, &f);
    return f;
  }
  template <class T>
  SDE_DEVICE T jacobian_entry(int, int j, const T* x) const {
    return x[j] * (2.0 * kScale);
  }
  template <class T>
  SDE_DEVICE T pullback_entry(int j, const T* x, const T* w) const {
    return w[0] * (x[j] * (2.0 * kScale));
  }
  template <class T>
  SDE_DEVICE T weighted_hvp_entry(int j, const T*, const T* c, const T* u) const {
    return c[0] * (u[j] * (2.0 * kScale));
  }
  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    return intersect_sphere(d, v, x);
  }
};

/// Ring 1/2 (1 + a x)(x^2 + y^2 - 1)^2 with |a| < 1. Gamma is the unit circle, sharpness 4 (1 + a x).
/// Outside 1 + a x > 0 the loss is not a square: such a path has left the domain (its value is not a number).
struct Ring {
  static constexpr int Dim = 2, Residuals = 1;
  double a = 0.5;
  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = sqrt(x[0] * a + 1.0) * (x[0] * x[0] + x[1] * x[1] - 1.0);
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    const T root = sqrt(x[0] * a + 1.0);
    const T rho = x[0] * x[0] + x[1] * x[1] - 1.0;
    J[0] = rho * (T(1.0) / root * (0.5 * a)) + root * x[0] * 2.0;
    J[1] = root * x[1] * 2.0;
  }
  template <class T>
  SDE_DEVICE void pullback(const T* x, const T* w, T* g) const {
    jacobian(x, g);
    g[0] *= w[0];
    g[1] *= w[0];
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T* x, const T* c, const T* u, T* out) const {
    const T root = sqrt(x[0] * a + 1.0);
    const T inverse = T(1.0) / root;      // as in the Jacobian: one division for both
    const T first = inverse * (0.5 * a);  // derivatives of the root
    const T second = first * first * (-inverse);
    const T rho = x[0] * x[0] + x[1] * x[1] - 1.0;
    const T xx = second * rho + (first * x[0] * 2.0 + root) * 2.0;
    const T xy = first * x[1] * 2.0;
    out[0] = c[0] * (xx * u[0] + xy * u[1]);
    out[1] = c[0] * (xy * u[0] + root * 2.0 * u[1]);
  }
  /// grad L; no square root is left in it.
  template <class T>
  SDE_DEVICE void gradient(const T* x, T* g) const {
    const T rho = x[0] * x[0] + x[1] * x[1] - 1.0;
    const T inside = x[0] * a + 1.0;  // not a square, and not a number, where this is negative
    const T c = select(inside > T(0.0), inside * rho * 2.0, T(std::numeric_limits<double>::quiet_NaN()));
    g[0] = rho * rho * (0.5 * a) + c * x[0];
    g[1] = c * x[1];
  }
  /// J^T (f + e) for an error e of the label: a common factor with one root.
  template <class T>
  SDE_DEVICE void noisy_gradient(const T* x, const T& error, T* g) const {
    const T rho = x[0] * x[0] + x[1] * x[1] - 1.0, inside = x[0] * a + 1.0, twice = inside + inside;
    const T factor = rho + error * inverse_sqrt(inside);
    g[0] = factor * (rho * (0.5 * a) + twice * x[0]);
    g[1] = factor * (twice * x[1]);
  }
  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    return intersect_sphere(2, v, x);
  }
};

}  // namespace sde::loss
