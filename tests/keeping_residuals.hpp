// Losses that keep residuals on Gamma, where label and sampling noise move the slow variable.
#pragma once

#include "sde/core/functions.hpp"

namespace sde::test {

/// Gamma is v = 0, where the residuals are (cos u, sin u, 0): their gradients are not all normal to it. Hess_vv = (1 +
/// w^2)/3 depends on u.
struct OnACircle {
  static constexpr int Dim = 2, Residuals = 3;
  int dim() const { return 2; }
  int residual_count() const { return 3; }
  template <class T>
  void residuals(const T* x, T* f) const {
    const T radius = sqrt(x[1] * x[1] + 1.0);
    f[0] = radius * cos(x[0]);
    f[1] = radius * sin(x[0]);
    f[2] = (sin(x[0]) * 0.5 + 1.2) * x[1];
  }
};

/// Gamma is x0 x1 = 3/2, x2 = x0^2 - 1/3, where residuals stay; all their gradients are normal to it. Any sizes.
struct Offset {
  int dim() const { return 3; }
  int residual_count() const { return 3; }
  template <class T>
  void residuals(const T* x, T* f) const {
    const T p = x[0] * x[1], s = x[2] - x[0] * x[0];
    f[0] = p - 1.0 + s;
    f[1] = p - 2.0 - s;
    f[2] = s;
  }
};

}  // namespace sde::test
