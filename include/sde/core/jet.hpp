// Jet<T, D>: a number with all its derivatives up to the third along D directions, in one pass. Where all of a function
// of few variables is asked for, it takes a third to a tenth of the multiplications of nested duals (dual.hpp), and
// every exp and log once.
#pragma once

#include <utility>

#include "sde/core/math.hpp"

namespace sde {

namespace detail {

/// f(0), ..., f(N - 1), each with a constant: indices into arrays that stay in registers.
template <int N, class F>
SDE_INLINE void with_constants(F f) {
  [&]<int... n>(std::integer_sequence<int, n...>) { (f(std::integral_constant<int, n>{}), ...); }
  (std::make_integer_sequence<int, N>());
}

/// The places of symmetric derivatives of D variables: number n is d_i d_j, i <= j, or d_i d_j d_k, i <= j <= k.
template <int D>
struct JetIndices {
  static constexpr int pairs = D * (D + 1) / 2, triples = D * (D + 1) * (D + 2) / 6;
  struct Pair {
    int i, j;
  };
  struct Triple {
    int i, j, k;
  };
  static constexpr Pair pair(int n) {
    int i = 0;
    for (int row = D; n >= row; --row, ++i) n -= row;
    return {i, i + n};
  }
  static constexpr Triple triple(int n) {
    for (int i = 0; i < D; ++i)
      for (int j = i; j < D; ++j) {
        if (n < D - j) return {i, j, j + n};
        n -= D - j;
      }
    return {0, 0, 0};
  }
  /// Number of a pair and of a triple in any order.
  static constexpr int of(int i, int j) {
    const int low = i < j ? i : j, high = i < j ? j : i;
    return low * D - low * (low - 1) / 2 + high - low;
  }
  static constexpr int of(int i, int j, int k) {
    int n = 0;
    for (; n < triples; ++n) {
      const auto t = triple(n);
      if (same(t, {i, j, k}) || same(t, {i, k, j}) || same(t, {j, i, k}) || same(t, {j, k, i}) || same(t, {k, i, j}) ||
          same(t, {k, j, i}))
        break;
    }
    return n;
  }

 private:
  static constexpr bool same(Triple a, Triple b) { return a.i == b.i && a.j == b.j && a.k == b.k; }
};

}  // namespace detail

/// A value v, its derivatives first[i], second[of(i, j)], third[of(i, j, k)] (detail::JetIndices). T is a double or a
/// Pack.
template <class T, int D>
struct Jet {
  using At = detail::JetIndices<D>;
  T v;
  T first[D], second[At::pairs], third[At::triples];
  /// What a comparison gives: a bool, or one for each lane.
  using Condition = decltype(std::declval<const T&>() < std::declval<const T&>());

  Jet() = default;
  SDE_DEVICE Jet(double c) : v(c) {
    each_derivative([](T& e) { e = T(0.0); });
  }
  SDE_DEVICE Jet(int c) : Jet(static_cast<double>(c)) {}
  SDE_DEVICE Jet(T value) requires(!__is_same(T, double)) : v(value) {
    each_derivative([](T& e) { e = T(0.0); });
  }
  /// The variable number i.
  SDE_DEVICE static Jet variable(T value, int i) {
    Jet r(value);
    r.first[i] = T(1.0);
    return r;
  }

  /// f(v) for f with these derivatives there: the chain rule for every function of one variable below.
  SDE_DEVICE Jet chain(T f, T f1, T f2, T f3) const {
    Jet r;
    r.v = f;
    T by_second[D], by_third[At::pairs];
    detail::with_constants<D>([&](auto i) {
      r.first[i] = f1 * first[i];
      by_second[i] = f2 * first[i];
    });
    detail::with_constants<At::pairs>([&](auto n) {
      constexpr auto p = At::pair(n);
      const T product = first[p.i] * first[p.j];
      r.second[n] = f1 * second[n] + f2 * product;
      by_third[n] = f3 * product;
    });
    detail::with_constants<At::triples>([&](auto n) {
      constexpr auto p = At::triple(n);
      constexpr int ij = At::of(p.i, p.j), ik = At::of(p.i, p.k), jk = At::of(p.j, p.k);
      r.third[n] = (f1 * third[n] + by_third[ij] * first[p.k]) +
                   (by_second[p.i] * second[jk] + by_second[p.j] * second[ik] + by_second[p.k] * second[ij]);
    });
    return r;
  }

  /// The same where f is linear: its slope alone.
  SDE_DEVICE Jet chain(T f, T slope) const {
    Jet r = by_parts(*this, *this, [&](const T& x, const T&) { return slope * x; });
    r.v = f;
    return r;
  }

  SDE_DEVICE friend Jet operator+(const Jet& a, const Jet& b) {
    return by_parts(a, b, [](const T& x, const T& y) { return x + y; });
  }
  SDE_DEVICE friend Jet operator-(const Jet& a, const Jet& b) {
    return by_parts(a, b, [](const T& x, const T& y) { return x - y; });
  }
  SDE_DEVICE friend Jet operator-(const Jet& a) {
    return by_parts(a, a, [](const T& x, const T&) { return -x; });
  }
  SDE_DEVICE friend Jet operator*(const Jet& a, const Jet& b) { return product(a, b); }
  SDE_DEVICE friend Jet operator/(const Jet& a, const Jet& b) { return a * inverse(b); }
  SDE_DEVICE friend Jet operator*(double c, const Jet& a) { return a.chain(T(c) * a.v, T(c)); }
  SDE_DEVICE friend Jet operator*(const Jet& a, double c) { return c * a; }
  SDE_DEVICE friend Jet operator+(double c, const Jet& a) {
    Jet r = a;
    r.v = r.v + T(c);
    return r;
  }
  SDE_DEVICE friend Jet operator+(const Jet& a, double c) { return c + a; }
  SDE_DEVICE friend Jet operator-(const Jet& a, double c) { return (-c) + a; }
  SDE_DEVICE friend Jet operator-(double c, const Jet& a) { return c + (-a); }
  SDE_DEVICE friend Jet operator/(const Jet& a, double c) { return (1.0 / c) * a; }
  SDE_DEVICE friend Jet operator/(double c, const Jet& a) { return c * inverse(a); }
  SDE_DEVICE Jet& operator+=(const Jet& b) { return *this = *this + b; }
  SDE_DEVICE Jet& operator-=(const Jet& b) { return *this = *this - b; }
  SDE_DEVICE Jet& operator*=(const Jet& b) { return *this = *this * b; }
  SDE_DEVICE Jet& operator/=(const Jet& b) { return *this = *this / b; }

  /// Comparisons are of the values.
  SDE_DEVICE friend Condition operator<(const Jet& a, const Jet& b) { return a.v < b.v; }
  SDE_DEVICE friend Condition operator>(const Jet& a, const Jet& b) { return a.v > b.v; }
  SDE_DEVICE friend Condition operator<=(const Jet& a, const Jet& b) { return a.v <= b.v; }
  SDE_DEVICE friend Condition operator>=(const Jet& a, const Jet& b) { return a.v >= b.v; }
  SDE_DEVICE friend Condition operator==(const Jet& a, const Jet& b) { return a.v == b.v; }
  SDE_DEVICE friend Condition operator!=(const Jet& a, const Jet& b) { return a.v != b.v; }
  /// `condition ? yes : no`, derivatives with their values: where lanes take different sides, each its own.
  SDE_DEVICE friend Jet select(const Condition& condition, const Jet& yes, const Jet& no) {
    return by_parts(yes, no, [&](const T& a, const T& b) { return select(condition, a, b); });
  }
  /// As of the numbers themselves; where both are equal, the derivatives are the first one's.
  SDE_DEVICE friend Jet min(const Jet& a, const Jet& b) { return select(b.v < a.v, b, a); }
  SDE_DEVICE friend Jet max(const Jet& a, const Jet& b) { return select(a.v < b.v, b, a); }

 private:
  template <class F>
  SDE_INLINE void each_derivative(F f) {
    for (auto& e : first) f(e);
    for (auto& e : second) f(e);
    for (auto& e : third) f(e);
  }
  template <class F>
  SDE_INLINE static Jet by_parts(const Jet& a, const Jet& b, F f) {
    Jet r;
    r.v = f(a.v, b.v);
    detail::with_constants<D>([&](auto n) { r.first[n] = f(a.first[n], b.first[n]); });
    detail::with_constants<At::pairs>([&](auto n) { r.second[n] = f(a.second[n], b.second[n]); });
    detail::with_constants<At::triples>([&](auto n) { r.third[n] = f(a.third[n], b.third[n]); });
    return r;
  }
  // Not in the operator itself: nvcc does not find At in a friend's lambdas.
  SDE_DEVICE static Jet product(const Jet& a, const Jet& b) {
    Jet r;
    r.v = a.v * b.v;
    detail::with_constants<D>([&](auto i) { r.first[i] = a.first[i] * b.v + a.v * b.first[i]; });
    detail::with_constants<At::pairs>([&](auto n) {
      constexpr auto p = At::pair(n);
      r.second[n] =
          (a.second[n] * b.v + a.v * b.second[n]) + (a.first[p.i] * b.first[p.j] + a.first[p.j] * b.first[p.i]);
    });
    detail::with_constants<At::triples>([&](auto n) {
      constexpr auto p = At::triple(n);
      constexpr int ij = At::of(p.i, p.j), ik = At::of(p.i, p.k), jk = At::of(p.j, p.k);
      r.third[n] = (a.third[n] * b.v + a.v * b.third[n]) +
                   ((a.second[ij] * b.first[p.k] + a.second[ik] * b.first[p.j] + a.second[jk] * b.first[p.i]) +
                    (a.first[p.k] * b.second[ij] + a.first[p.j] * b.second[ik] + a.first[p.i] * b.second[jk]));
    });
    return r;
  }
  SDE_DEVICE static Jet inverse(const Jet& a) {
    const T f = T(1.0) / a.v, square = f * f;
    return a.chain(f, -square, T(2.0) * (f * square), T(-6.0) * (square * square));
  }
};

template <class T, int D>
inline constexpr bool refused::kNumber<Jet<T, D>> = true;

/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> sqrt(const Jet<T, D>& x) {
  const T r = sqrt(x.v), inverse = T(1.0) / x.v, f1 = T(0.5) / r, f2 = T(-0.5) * (f1 * inverse);
  return x.chain(r, f1, f2, T(-1.5) * (f2 * inverse));
}
/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> exp(const Jet<T, D>& x) {
  const T e = exp(x.v);
  return x.chain(e, e, e, e);
}
/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> log(const Jet<T, D>& x) {
  const T inverse = T(1.0) / x.v, square = inverse * inverse;
  return x.chain(log(x.v), inverse, -square, T(2.0) * (inverse * square));
}
/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> sin(const Jet<T, D>& x) {
  const T s = sin(x.v), c = cos(x.v);
  return x.chain(s, c, -s, -c);
}
/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> cos(const Jet<T, D>& x) {
  const T s = sin(x.v), c = cos(x.v);
  return x.chain(c, -s, -c, s);
}
/// As for T, with derivatives.
template <class T, int D>
SDE_DEVICE Jet<T, D> tanh(const Jet<T, D>& x) {
  const T t = tanh(x.v), square = t * t, f1 = T(1.0) - square;
  return x.chain(t, f1, T(-2.0) * (t * f1), f1 * (T(6.0) * square - T(2.0)));
}
/// The derivative at 0 is 1.
template <class T, int D>
SDE_DEVICE Jet<T, D> abs(const Jet<T, D>& x) {
  return x.chain(abs(x.v), select(x.v < T(0.0), T(-1.0), T(1.0)));
}
/// x^n, n a constant of the loss.
template <class T, int D>
SDE_DEVICE Jet<T, D> pow(const Jet<T, D>& x, int n) {
  const auto derivative = [&](double factor, int power) { return factor == 0 ? T(0.0) : T(factor) * pow(x.v, power); };
  const double f1 = n, f2 = f1 * (n - 1.0), f3 = f2 * (n - 2.0);
  return x.chain(pow(x.v, n), derivative(f1, n - 1), derivative(f2, n - 2), derivative(f3, n - 3));
}
/// x^p, p a constant of the loss, for x > 0.
template <class T, int D>
SDE_DEVICE Jet<T, D> pow(const Jet<T, D>& x, double p) {
  const T f = pow(x.v, p), f1 = T(p) * pow(x.v, p - 1.0), inverse = T(1.0) / x.v;
  const T f2 = T(p - 1.0) * (f1 * inverse);
  return x.chain(f, f1, f2, T(p - 2.0) * (f2 * inverse));
}
/// x^p with both of them numbers of a loss, for x > 0.
template <class T, int D>
SDE_DEVICE Jet<T, D> pow(const Jet<T, D>& x, const Jet<T, D>& p) {
  return exp(p * log(x));
}

}  // namespace sde
