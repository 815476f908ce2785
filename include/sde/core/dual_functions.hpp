// Derivatives of the functions of functions.hpp, by formulas in which nothing cancels. A pair whose derivatives are
// each other's is computed together: otherwise every level of nested duals would compute it twice as often.
#pragma once

#include "sde/core/dual.hpp"
#include "sde/core/functions.hpp"

namespace sde {

/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE void sin_cos(const Dual<T, N>& x, Dual<T, N>& sine, Dual<T, N>& cosine) {
  T s, c;
  sin_cos(x.v, s, c);
  sine = x.chain(s, c);
  cosine = x.chain(c, -s);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> sin(const Dual<T, N>& x) {
  T s, c;
  sin_cos(x.v, s, c);
  return x.chain(s, c);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> cos(const Dual<T, N>& x) {
  T s, c;
  sin_cos(x.v, s, c);
  return x.chain(c, -s);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> tan(const Dual<T, N>& x) {
  const T t = tan(x.v);
  return x.chain(t, T(1.0) + t * t);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> atan(const Dual<T, N>& x) {
  return x.chain(atan(x.v), T(1.0) / (T(1.0) + x.v * x.v));
}

/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE void sinh_cosh(const Dual<T, N>& x, Dual<T, N>& hyperbolic_sine, Dual<T, N>& hyperbolic_cosine) {
  T s, c;
  sinh_cosh(x.v, s, c);
  hyperbolic_sine = x.chain(s, c);
  hyperbolic_cosine = x.chain(c, s);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> sinh(const Dual<T, N>& x) {
  T s, c;
  sinh_cosh(x.v, s, c);
  return x.chain(s, c);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> cosh(const Dual<T, N>& x) {
  T s, c;
  sinh_cosh(x.v, s, c);
  return x.chain(c, s);
}

namespace detail {

// What derivatives consist of, for every T.
template <PlainNumber X>
SDE_INLINE X exp_everywhere(X x) {
  return exp_everywhere(one_lane(x)).v;
}
template <class T, int N>
SDE_DEVICE Dual<T, N> exp_everywhere(const Dual<T, N>& x) {
  const T e = detail::exp_everywhere(x.v);
  return x.chain(e, e);
}
template <PlainNumber X>
SDE_INLINE X gaussian(X x) {
  return gaussian(one_lane(x)).v;
}
template <class T, int N>
SDE_DEVICE Dual<T, N> gaussian(const Dual<T, N>& x) {
  const T g = detail::gaussian(x.v);
  return x.chain(g, T(-2.0) * x.v * g);
}
template <PlainNumber X>
SDE_INLINE void sigmoids(X x, X& of_x, X& of_minus_x) {
  OneLane<X> s, c;
  sigmoids(one_lane(x), s, c);
  of_x = s.v;
  of_minus_x = c.v;
}
template <class T, int N>
SDE_DEVICE void sigmoids(const Dual<T, N>& x, Dual<T, N>& of_x, Dual<T, N>& of_minus_x) {
  T s, c;
  detail::sigmoids(x.v, s, c);
  const T slope = s * c;
  of_x = x.chain(s, slope);
  of_minus_x = x.chain(c, -slope);
}
// tanh with 1/cosh^2 as the product of two sigmoids: 1 - tanh^2 loses it where tanh is nearly 1.
template <class S, int W>
SDE_INLINE Pack<S, W> logcosh_slope(Pack<S, W> x) {
  return tanh_kernel(x);
}
template <PlainNumber X>
SDE_INLINE X logcosh_slope(X x) {
  return tanh_kernel(one_lane(x)).v;
}
template <class T, int N>
SDE_DEVICE Dual<T, N> logcosh_slope(const Dual<T, N>& x) {
  T s, c;
  detail::sigmoids(x.v + x.v, s, c);
  return x.chain(detail::logcosh_slope(x.v), T(4.0) * (s * c));
}

}  // namespace detail

/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> expm1(const Dual<T, N>& x) {
  return x.chain(expm1(x.v), detail::exp_everywhere(x.v));
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> log1p(const Dual<T, N>& x) {
  return x.chain(log1p(x.v), T(1.0) / (T(1.0) + x.v));
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> erf(const Dual<T, N>& x) {
  return x.chain(erf(x.v), T(1.1283791670955125739) * detail::gaussian(x.v));
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> softplus(const Dual<T, N>& x) {
  return x.chain(softplus(x.v), sigmoid(x.v));
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> logcosh(const Dual<T, N>& x) {
  return x.chain(logcosh(x.v), detail::logcosh_slope(x.v));
}
/// The derivative at 0 is 0.
template <class T, int N>
SDE_DEVICE Dual<T, N> relu(const Dual<T, N>& x) {
  return x.chain(relu(x.v), select(x.v > T(0.0), T(1.0), T(0.0)));
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> sigmoid(const Dual<T, N>& x) {
  T s, c;
  detail::sigmoids(x.v, s, c);
  return x.chain(s, s * c);
}

/// x^n, n a constant of the loss.
template <class T, int N>
SDE_DEVICE Dual<T, N> pow(const Dual<T, N>& x, int n) {
  if (n == 0) return Dual<T, N>(1.0);
  return x.chain(pow(x.v, n), T(static_cast<double>(n)) * pow(x.v, n - 1));
}
/// x^p, p a constant of the loss, for x > 0.
template <class T, int N>
SDE_DEVICE Dual<T, N> pow(const Dual<T, N>& x, double p) {
  if (p == 0) return Dual<T, N>(1.0);
  return x.chain(pow(x.v, p), T(p) * pow(x.v, p - 1.0));
}
/// x^p with both of them numbers of a loss, for x > 0.
template <class T, int N>
SDE_DEVICE Dual<T, N> pow(const Dual<T, N>& x, const Dual<T, N>& p) {
  return exp(p * log(x));
}

}  // namespace sde
