// Phi where there is one residual, as a kernel computes it: the fibre integrated over the residual, as in FlowMap
// (flow_map.hpp), by the same method of Dormand and Prince with its fifth-order error control. Own code because Odeint
// does not run on a GPU; tests/test_device.cpp holds it to FlowMap.
#pragma once

#include "sde/loss/derivatives.hpp"

namespace sde::manifold {

namespace detail {

/// out = -f0 grad f/|grad f|^2 at y[D]; false where that does not exist.
template <SquaredLoss L, class T>
SDE_DEVICE bool fibre_direction(const L& loss, const T& f0, const T* y, T* out) {
  constexpr int D = dim_of<L>;
  loss::jacobian(loss, y, out);
  T square = out[0] * out[0];
  for (int k = 1; k < D; ++k) square += out[k] * out[k];
  if (!any((square > T(0.0)) & (square < T(1e300)))) return false;
  const T factor = -f0 / square;
  for (int k = 0; k < D; ++k) out[k] = factor * out[k];
  return true;
}

}  // namespace detail

/// x[D] <- Phi(x) for one path, T a pack of one, with `tolerance` as FlowOptions::tolerance. Returns false where the
/// gradient flow does not reach Gamma.
template <SquaredLoss L, class T>
SDE_DEVICE bool fibre_flow(const L& loss, double tolerance, T* x) {
  static_assert(residuals_of<L> == 1 && dim_of<L> > 0 && lanes_of<T> == 1);
  constexpr int D = dim_of<L>, kMostSteps = 2000;
  constexpr double a[6][6] = {{1.0 / 5},
                              {3.0 / 40, 9.0 / 40},
                              {44.0 / 45, -56.0 / 15, 32.0 / 9},
                              {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
                              {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
                              {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
  constexpr double error_weight[7] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                      -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
  T f0, stage[7][D], y[D];
  loss::residuals(loss, x, &f0);
  if (!any(abs(f0) <= T(0.0))) {
    // In s = 1 - f/f0 from 0 to 1; the last stage of a step is the first of the next.
    double s = 0, h = 0.05;
    if (!detail::fibre_direction(loss, f0, x, stage[0])) return false;
    for (int step = 0; s < 1; ++step) {
      if (step == kMostSteps) return false;
      if (s + h > 1 - 1e-14) h = 1 - s;
      bool exists = true;
      for (int i = 0; i < 6; ++i) {
        for (int k = 0; k < D; ++k) {
          T sum = T(a[i][0]) * stage[0][k];
          for (int j = 1; j <= i; ++j) sum += T(a[i][j]) * stage[j][k];
          y[k] = x[k] + T(h) * sum;
        }
        exists = exists && detail::fibre_direction(loss, f0, y, stage[i + 1]);
      }
      double worst = exists ? 0 : 1e6;
      for (int k = 0; k < D; ++k) {
        T sum = T(error_weight[0]) * stage[0][k];
        for (int j = 2; j < 7; ++j) sum += T(error_weight[j]) * stage[j][k];
        const double allowed = tolerance * (1 + lane(abs(x[k]), 0) + h * lane(abs(stage[0][k]), 0));
        const double error = h * lane(abs(sum), 0) / allowed;
        if (!(error <= worst)) worst = error;
      }
      if (worst <= 1) {
        s += h;
        for (int k = 0; k < D; ++k) {
          x[k] = y[k];
          stage[0][k] = stage[6][k];
        }
      }
      // h (0.9 worst^(-1/5)), by at most 5 and at least 1/5
      h *= worst > 1845.28125 ? 0.2 : worst < 1.89e-4 ? 5.0 : 0.9 * std::pow(worst, -0.2);
      if (!(h > 1e-14)) return false;
    }
  }
  // The polish: Newton's method along the normal, until |grad L| is that of rounding.
  T v[D];
  for (int iteration = 0;; ++iteration) {
    T f;
    loss::residuals(loss, x, &f);
    loss::jacobian(loss, x, v);
    T square = v[0] * v[0], size = x[0] * x[0];
    for (int k = 1; k < D; ++k) {
      square += v[k] * v[k];
      size += x[k] * x[k];
    }
    const T root = sqrt(square), allowed = T(1e-12) * select(square > T(1.0), square, T(1.0));
    const auto small = abs(f) * root <= allowed;
    const auto tiny = abs(f) <= T(1e-15) * root * (T(1.0) + sqrt(size));
    if (any(small) && (any(tiny) || iteration > 2)) return true;
    if (iteration == 8) return false;
    const T t = f / square;
    for (int k = 0; k < D; ++k) x[k] -= t * v[k];
  }
}

}  // namespace sde::manifold
