// Forward-mode automatic differentiation. Dual<T, N> carries a value and N directional derivatives; nesting gives
// higher orders. Own code and not a library's because the same template has to run on doubles, on SIMD packs and on a
// GPU, which none of the packaged libraries does (docs/libraries.md). Of the functions only those that
// most losses need are here; the others are in dual_functions.hpp.
#pragma once

#include <utility>

#include "sde/core/math.hpp"

namespace sde {

/// A value v with derivatives d[0..N). T may itself be a Dual or a Pack.
template <class T, int N>
struct Dual {
  T v;
  T d[N];
  /// What a comparison gives: a bool, or one for each lane.
  using Condition = decltype(std::declval<const T&>() < std::declval<const T&>());

  Dual() = default;
  SDE_DEVICE Dual(double c) : v(c) {
    for (auto& e : d) e = T(0.0);
  }
  SDE_DEVICE Dual(int c) : Dual(static_cast<double>(c)) {}
  SDE_DEVICE Dual(T value) requires(!__is_same(T, double)) : v(value) {
    for (auto& e : d) e = T(0.0);
  }

  /// f(v) with derivative slope * d: the chain rule for every function of one variable below.
  SDE_DEVICE Dual chain(T value, T slope) const {
    Dual r;
    r.v = value;
    for (int i = 0; i < N; ++i) r.d[i] = slope * d[i];
    return r;
  }

  SDE_DEVICE friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v + b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] + b.d[i];
    return r;
  }
  SDE_DEVICE friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v - b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] - b.d[i];
    return r;
  }
  SDE_DEVICE friend Dual operator-(const Dual& a) { return a.chain(-a.v, T(-1.0)); }
  SDE_DEVICE friend Dual operator*(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v * b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] * b.v + a.v * b.d[i];
    return r;
  }
  SDE_DEVICE friend Dual operator/(const Dual& a, const Dual& b) {
    const T inverse = T(1.0) / b.v;
    Dual r;
    r.v = a.v * inverse;
    for (int i = 0; i < N; ++i) r.d[i] = (a.d[i] - r.v * b.d[i]) * inverse;
    return r;
  }
  SDE_DEVICE friend Dual operator*(double c, const Dual& a) { return a.chain(T(c) * a.v, T(c)); }
  SDE_DEVICE friend Dual operator*(const Dual& a, double c) { return c * a; }
  SDE_DEVICE friend Dual operator+(double c, const Dual& a) {
    Dual r = a;
    r.v = r.v + T(c);
    return r;
  }
  SDE_DEVICE friend Dual operator+(const Dual& a, double c) { return c + a; }
  SDE_DEVICE friend Dual operator-(const Dual& a, double c) { return (-c) + a; }
  SDE_DEVICE friend Dual operator-(double c, const Dual& a) { return c + (-a); }
  SDE_DEVICE friend Dual operator/(const Dual& a, double c) { return (1.0 / c) * a; }
  SDE_DEVICE friend Dual operator/(double c, const Dual& a) { return Dual(c) / a; }
  SDE_DEVICE Dual& operator+=(const Dual& b) { return *this = *this + b; }
  SDE_DEVICE Dual& operator-=(const Dual& b) { return *this = *this - b; }
  SDE_DEVICE Dual& operator*=(const Dual& b) { return *this = *this * b; }
  SDE_DEVICE Dual& operator/=(const Dual& b) { return *this = *this / b; }

  /// Comparisons are of the values.
  SDE_DEVICE friend Condition operator<(const Dual& a, const Dual& b) { return a.v < b.v; }
  SDE_DEVICE friend Condition operator>(const Dual& a, const Dual& b) { return a.v > b.v; }
  SDE_DEVICE friend Condition operator<=(const Dual& a, const Dual& b) { return a.v <= b.v; }
  SDE_DEVICE friend Condition operator>=(const Dual& a, const Dual& b) { return a.v >= b.v; }
  SDE_DEVICE friend Condition operator==(const Dual& a, const Dual& b) { return a.v == b.v; }
  SDE_DEVICE friend Condition operator!=(const Dual& a, const Dual& b) { return a.v != b.v; }
  /// `condition ? yes : no`, derivatives with their values: where lanes take different sides, each its own.
  SDE_DEVICE friend Dual select(const Condition& condition, const Dual& yes, const Dual& no) {
    Dual r;
    r.v = select(condition, yes.v, no.v);
    for (int i = 0; i < N; ++i) r.d[i] = select(condition, yes.d[i], no.d[i]);
    return r;
  }
  /// As of the numbers themselves; where both are equal, the derivatives are the first one's.
  SDE_DEVICE friend Dual min(const Dual& a, const Dual& b) { return select(b.v < a.v, b, a); }
  SDE_DEVICE friend Dual max(const Dual& a, const Dual& b) { return select(a.v < b.v, b, a); }
};

template <class T, int N>
inline constexpr bool refused::kNumber<Dual<T, N>> = true;

/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> sqrt(const Dual<T, N>& x) {
  const T r = sqrt(x.v);
  return x.chain(r, T(0.5) / r);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> exp(const Dual<T, N>& x) {
  const T e = exp(x.v);
  return x.chain(e, e);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> log(const Dual<T, N>& x) {
  return x.chain(log(x.v), T(1.0) / x.v);
}
/// As for T, with derivatives.
template <class T, int N>
SDE_DEVICE Dual<T, N> tanh(const Dual<T, N>& x) {
  const T t = tanh(x.v);
  return x.chain(t, T(1.0) - t * t);
}

/// The derivative at 0 is 1.
template <class T, int N>
SDE_DEVICE Dual<T, N> abs(const Dual<T, N>& x) {
  return x.chain(abs(x.v), select(x.v < T(0.0), T(-1.0), T(1.0)));
}

}  // namespace sde
