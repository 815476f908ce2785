// sinh, cosh, expm1, log1p, erf, softplus, logcosh, relu and sigmoid, with the same operations in every lane and for
// plain numbers, over the whole range of both types. Accuracy relative, also beside zeros, in units of the last place
// and held against long double by tests/test_special.cpp.
#pragma once

#include "sde/core/plain.hpp"
#include "sde/core/trigonometric.hpp"

namespace sde {
namespace detail {

/// As exp_parts, of lowest <= x <= highest beyond the normal numbers: scale = 2^k one, `one` a power of two that keeps
/// it normal. `tail` is added to x.
template <class T>
SDE_INLINE ExpParts<T> exp_parts_of(T x, T one, double lowest, double highest, T tail) {
  using B = BitsOf<T>;
  constexpr bool wide = sizeof(scalar_of<T>) == 8;
  x = select(x < T(lowest), T(lowest), x);
  x = select(x > T(highest), T(highest), x);
  const T magic = T(wide ? 0x1.8p52 : 0x1.8p23);
  const T shifted = x * T(1.4426950408889634074) + magic;
  ExpParts<T> e;
  e.k = shifted - magic;
  e.r = (x - e.k * T(kLn2High<T>)) - (e.k * T(kLn2Low<T>) - tail);
  e.scale = B::real((B::bits(shifted) << (wide ? 52 : 23)) + B::bits(one));
  e.r2q = exp_remainder(e.r);
  return e;
}
// Beyond these exp is zero and infinite.
template <class T>
inline constexpr double kZeroExp = sizeof(scalar_of<T>) == 8 ? -746.0 : -105.0;
template <class T>
inline constexpr double kInfiniteExp = sizeof(scalar_of<T>) == 8 ? 711.0 : 90.0;

/// exp(x + tail), without sde::exp's ends: 0 and infinity are reached, through what is not normal.
template <class T>
SDE_INLINE T exp_everywhere(T x, T tail) {
  const auto negative = x < T(0.0);
  const auto e = exp_parts_of(x, select(negative, T(0x1p64), T(0.25)), kZeroExp<T>, kInfiniteExp<T>, tail);
  return (e.scale * (e.r2q + e.r + T(1.0))) * select(negative, T(0x1p-64), T(4.0));
}
template <class T>
SDE_INLINE T exp_everywhere(T x) {
  return exp_everywhere(x, T(0.0));
}
/// The same for x <= 0.
template <class T>
SDE_INLINE T exp_of_negative(T x) {
  const auto e = exp_parts_of(x, T(0x1p64), kZeroExp<T>, 0.0, T(0.0));
  return (e.scale * (e.r2q + e.r + T(1.0))) * T(0x1p-64);
}
/// (exp(x) - 1)/8, which is finite where exp(x) - 1 no longer is.
template <class T>
SDE_INLINE T eighth_expm1(const ExpParts<T>& e) {
  return e.scale * (e.r2q + e.r) + (e.scale - T(0.125));
}
/// x below half a unit of 1 is its own expm1, log1p and sinh, with its sign.
template <class T>
SDE_INLINE auto is_tiny(T x) {
  return abs(x) < T(sizeof(scalar_of<T>) == 8 ? 0x1p-54 : 0x1p-25);
}
/// log(1 + x) for x > -1: what 1 + x rounds off is added to its logarithm.
template <class T>
SDE_INLINE T log1p_kernel(T x) {
  const T u = T(1.0) + x, rounded = u - T(1.0), lost = (T(1.0) - (u - rounded)) + (x - rounded);
  return select(is_tiny(x), x, log_kernel(u) + lost / u);
}
/// exp(-x^2), what the square rounds off in it: relative errors do not grow with x.
template <class T>
SDE_INLINE T gaussian(T x) {
  const T a = min(abs(x), T(sizeof(scalar_of<T>) == 8 ? 28.0 : 11.0));
  const auto square = two_product(a, a);
  return exp_everywhere(-square.hi, -square.lo);
}

}  // namespace detail

/// exp(x) - 1 of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> expm1(Pack<S, W> x) {
  using T = Pack<S, W>;
  const auto e = detail::exp_parts_of(x, T(S(0.125)), -45.0, detail::kInfiniteExp<T>, T(S(0)));
  return select(detail::is_tiny(x), x, T(S(8)) * detail::eighth_expm1(e));
}
/// log(1 + x) of each lane; minus infinity at -1, below it not a number.
template <class S, int W>
SDE_INLINE Pack<S, W> log1p(Pack<S, W> x) {
  using T = Pack<S, W>;
  constexpr S infinity = std::numeric_limits<S>::infinity();
  const T finite = select(x < T(infinity), detail::log1p_kernel(x), x);
  const T end = select(x == T(S(-1)), T(-infinity), T(std::numeric_limits<S>::quiet_NaN()));
  return select(x <= T(S(-1)), end, finite);
}
/// sinh and cosh of each lane, from m = exp(|x|) - 1: sinh |x| = (m + m/(m + 1))/2, where nothing cancels.
template <class S, int W>
SDE_INLINE void sinh_cosh(Pack<S, W> x, Pack<S, W>& hyperbolic_sine, Pack<S, W>& hyperbolic_cosine) {
  using T = Pack<S, W>;
  const T a = abs(x);
  const auto e = detail::exp_parts_of(a, T(S(0.125)), 0.0, detail::kInfiniteExp<T>, T(S(0)));
  const T m = detail::eighth_expm1(e), whole = e.scale * (e.r2q + e.r + T(S(1)));
  const T second = select(a < T(S(40)), m / (T(S(8)) * m + T(S(1))), T(S(0)));
  hyperbolic_sine = detail::with_sign(select(detail::is_tiny(a), a, T(S(4)) * (m + second)), x);
  hyperbolic_cosine = T(S(4)) * (whole + T(S(0x1p-6)) / whole);
}
/// sinh of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> sinh(Pack<S, W> x) {
  Pack<S, W> s, c;
  sinh_cosh(x, s, c);
  return s;
}
/// cosh of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> cosh(Pack<S, W> x) {
  Pack<S, W> s, c;
  sinh_cosh(x, s, c);
  return c;
}

/// erf of each lane: below 1 x times a polynomial of x^2, beyond it 1 - exp(q(x - 1)), q a polynomial for log erfc.
/// (Minimax polynomials of this project, 2^-57 of erf; floats 2^-29.)
template <class S, int W>
SDE_INLINE Pack<S, W> erf(Pack<S, W> x) {
  using T = Pack<S, W>;
  constexpr S one = sizeof(S) == 8 ? S(5.93) : S(4);  // from here on it is 1 in S
  const T a = min(abs(x), T(one)), z = a * a, u = a - T(S(1));
  T near, q;
  if constexpr (sizeof(S) == 8) {
    constexpr double n[] = {0.1283791670955126,     -0.3761263890318375,     0.11283791670954858,
                            -0.02686617064507296,   0.00522397762478137,     -0.0008548326978765149,
                            0.00012055331037551108, -1.4925593518728226e-05, 1.6460972954153765e-06,
                            -1.635002619207727e-07, 1.4657883530919653e-08,  -1.136567067182716e-09,
                            5.945255584223488e-11};
    constexpr double f[] = {1.8496055099332482,      2.6389675142347775,      0.8431072563593303,
                            0.04156109802667964,     -0.010033825195092506,   0.0019779013104112182,
                            -0.00023731679636598442, -2.629538647032889e-05,  2.7197249032843176e-05,
                            -9.669100162118788e-06,  2.1297439389514124e-06,  -2.0325851616226194e-07,
                            -5.881441422838225e-08,  3.3690049160670005e-08,  -8.59655248105147e-09,
                            1.3325128981832288e-09,  -1.2069875785765475e-10, 4.928088321184714e-12};
    near = detail::polynomial(n, z);
    q = detail::polynomial(f, u);
  } else {
    constexpr double n[] = {0.12837916572955937,  -0.376126258374651,     0.11283585248605635,  -0.02685381458207252,
                            0.005188330482592488, -0.0008010202699272506, 7.853849828429409e-05};
    constexpr double f[] = {1.8496055155748574,    2.6389668841171585,    0.8431175517906833,     0.04150374092953126,
                            -0.009895893321250467, 0.0018297150133204125, -0.00018646806967172758};
    near = detail::polynomial(n, z);
    q = detail::polynomial(f, u);
  }
  return detail::with_sign(select(a < T(S(1)), a + a * near, T(S(1)) - detail::exp_kernel(-q)), x);
}

/// log(1 + exp(x)) of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> softplus(Pack<S, W> x) {
  using T = Pack<S, W>;
  return max(x, T(S(0))) + detail::log1p_kernel(detail::exp_of_negative(-abs(x)));
}
/// log cosh x of each lane: below 3/4 x^2 times a minimax polynomial of x^2 (2^-58; floats 2^-27).
template <class S, int W>
SDE_INLINE Pack<S, W> logcosh(Pack<S, W> x) {
  using T = Pack<S, W>;
  const T a = abs(x), z = a * a;
  T near;
  if constexpr (sizeof(S) == 8) {
    constexpr double c[] = {0.5,
                            -0.08333333333333272,
                            0.022222222222159894,
                            -0.006746031743564786,
                            0.002186948802775735,
                            -0.0007386023354940436,
                            0.0002565756166403168,
                            -9.096315471925321e-05,
                            3.268147362456017e-05,
                            -1.1704618646107571e-05,
                            3.955402619397513e-06,
                            -1.0892025225720252e-06,
                            1.7173328660625134e-07};
    near = z * detail::polynomial(c, z);
  } else {
    constexpr double c[] = {0.499999997826601,      -0.08333305006586833,  0.02221619996908016,
                            -0.0066986310349975335, 0.0020140638085256396, -0.00042967164969211284};
    near = z * detail::polynomial(c, z);
  }
  const T below = detail::log1p_kernel(detail::exp_of_negative(-(a + a)));
  const T far = (a - T(S(detail::kLn2High<T>))) + (below - T(S(detail::kLn2Low<T>)));
  return select(a < T(S(0.75)), near, far);
}
/// max(x, 0) of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> relu(Pack<S, W> x) {
  return max(x, Pack<S, W>(S(0)));
}

namespace detail {

/// 1/(1 + exp(-x)), and that of -x, which is 1 less it without cancellation.
template <class S, int W>
SDE_INLINE void sigmoids(Pack<S, W> x, Pack<S, W>& of_x, Pack<S, W>& of_minus_x) {
  using T = Pack<S, W>;
  const T e = exp_of_negative(-abs(x)), bottom = T(S(1)) + e;
  const auto negative = x < T(S(0));
  of_x = select(negative, e, T(S(1))) / bottom;
  of_minus_x = select(negative, T(S(1)), e) / bottom;
}

}  // namespace detail

/// 1/(1 + exp(-x)) of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> sigmoid(Pack<S, W> x) {
  Pack<S, W> s, c;
  detail::sigmoids(x, s, c);
  return s;
}

/// sinh and cosh of a plain number, with a lane's bits.
template <PlainNumber X>
SDE_INLINE void sinh_cosh(X x, scalar_of<OneLane<X>>& hyperbolic_sine, scalar_of<OneLane<X>>& hyperbolic_cosine) {
  OneLane<X> s, c;
  sinh_cosh(detail::one_lane(x), s, c);
  hyperbolic_sine = s.v;
  hyperbolic_cosine = c.v;
}
SDE_PLAIN(expm1)
SDE_PLAIN(log1p)
SDE_PLAIN(sinh)
SDE_PLAIN(cosh)
SDE_PLAIN(erf)
SDE_PLAIN(softplus)
SDE_PLAIN(logcosh)
SDE_PLAIN(relu)
SDE_PLAIN(sigmoid)

}  // namespace sde
