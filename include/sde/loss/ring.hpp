// Ring (theory.md section 7).
#pragma once

#include <limits>

#include "sde/loss/concepts.hpp"
#include "sde/loss/described.hpp"
#include "sde/loss/near_root.hpp"

namespace sde::loss {

/// Ring 1/2 (1 + a x)(x^2 + y^2 - 1)^2 with |a| < 1. Gamma is the unit circle, sharpness 4 (1 + a x).
/// Outside 1 + a x > 0 the loss is not a square: such a path has left the domain (its value is not a number).
struct Ring {
  static constexpr int Dim = 2, Residuals = 1;
  double a = 0.5;

  static constexpr const char *name = "ring", *formula = "1/2 (1 + a x)(x^2 + y^2 - 1)^2";
  static WithStart<Ring> make(Keys& keys) {
    const double a = keys.number({"a", "|a| < 1: how far the sharpness varies along the circle"}, 0.5);
    if (!(std::abs(a) < 1)) keys.expected("a", "|a| < 1 (1 + a x must stay positive on the circle)", a);
    return {{a}, {1.0, 0.0}};
  }

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
