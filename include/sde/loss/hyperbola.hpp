// Hyperbola (theory.md section 7).
#pragma once

#include "sde/loss/concepts.hpp"
#include "sde/loss/described.hpp"
#include "sde/loss/near_root.hpp"

namespace sde::loss {

/// Hyperbola 1/2 (x y - 1)^2. Gamma = {x y = 1}, sharpness x^2 + y^2 = sqrt(q^2 + 4), q = x^2 - y^2.
struct Hyperbola {
  static constexpr int Dim = 2, Residuals = 1;

  static constexpr const char *name = "hyperbola", *formula = "1/2 (x y - 1)^2";
  static WithStart<Hyperbola> make(Keys&) { return {{}, {3.0, 1.0 / 3}}; }

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

}  // namespace sde::loss
