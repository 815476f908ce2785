// Sphere (theory.md section 7).
#pragma once

#include "sde/loss/concepts.hpp"
#include "sde/loss/described.hpp"
#include "sde/loss/near_root.hpp"

namespace sde::loss {

/// Sphere 1/4 (|x|^2 - 1)^2 in R^d, d >= 2. Gamma is the unit sphere, sharpness 2 everywhere: no drift (a control).
struct Sphere {
  static constexpr int Residuals = 1;
  static constexpr double kScale = 0.70710678118654752440;  // f = (|x|^2 - 1)/sqrt(2), so 1/2 f^2 = L
  int d = 3;

  static constexpr const char *name = "sphere", *formula = "1/4 (|x|^2 - 1)^2";
  static WithStart<Sphere> make(Keys& keys) {
    const int d = static_cast<int>(keys.integer({"d", "the dimension"}, 3, 2, 100'000));
    std::vector<double> start(static_cast<std::size_t>(d), 0.0);
    start.front() = 1;
    return {{d}, start};
  }

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

}  // namespace sde::loss
