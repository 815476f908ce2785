// A function of theta with its derivative, as plain numbers that a GPU can hold.
#pragma once

#include <cstdint>

#include "sde/core/buffer.hpp"
#include "sde/core/math.hpp"

namespace sde {

/// g(x) = a, a b, or tanh(a), for the linear forms a = sum_k u_k (x_k - c_k), k < nu, and b = sum_k w_k (x_k - c_k),
/// k < nw. What stands behind the pointers belongs to the caller.
struct SmoothFunction {
  const double *u = nullptr, *w = nullptr;
  const double* centre = nullptr;  ///< c; none: 0
  int nu = 0, nw = 0;              ///< nw = 0: no b
  bool bounded = false;            ///< tanh(a)

  /// D: the dimension, where it is known to the compiler.
  template <int D = kDynamic>
  SDE_DEVICE double value(const double* x) const {
    const double a = form<D>(u, nu, x);
    return nw > 0 ? a * form<D>(w, nw, x) : bounded ? lane(tanh(One(a)), 0) : a;
  }
  /// grad g(x) . v
  template <int D = kDynamic>
  SDE_DEVICE double derivative(const double* x, const double* v) const {
    const double along = slope<D>(u, nu, v);
    if (nw > 0) return form<D>(w, nw, x) * along + form<D>(u, nu, x) * slope<D>(w, nw, v);
    if (!bounded) return along;
    const double t = value<D>(x);
    return (1 - t * t) * along;
  }

 private:
  using One = Pack<double, 1>;
  template <int D>
  SDE_DEVICE double form(const double* c, int n, const double* x) const {
    double sum = 0;
    for_indices<D>(n, [&](int k) { sum += c[k] * (centre ? x[k] - centre[k] : x[k]); });
    return sum;
  }
  template <int D>
  SDE_DEVICE static double slope(const double* c, int n, const double* v) {
    double sum = 0;
    for_indices<D>(n, [&](int k) { sum += c[k] * v[k]; });
    return sum;
  }
};

}  // namespace sde
