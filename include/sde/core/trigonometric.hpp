// sin, cos, tan and atan, with the same operations in every lane and for plain numbers. Accuracy, in units of the last
// place and held against long double by tests/test_special.cpp, relative also beside zeros and poles: sin, cos and atan
// 1, tan 2.
#pragma once

#include <cstdint>

#include "sde/core/exact.hpp"
#include "sde/core/plain.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {
namespace trigonometric_detail {

/// x = quadrant pi/2 + (hi + lo), |hi| <= pi/4 but for roundings; the quadrant is a whole number from -2 to 2.
template <class T>
struct Quarter {
  T hi, lo, quadrant;
};

/// Of |x| >= 2^16 in whole numbers (Payne and Hanek 1983): x 2/pi modulo 4 from its 53 bits and those 224 bits of 2/pi
/// that decide it. No double is closer to a multiple of pi/2 than 2^-62: hi + lo is right to 2^-55 of itself or better.
/// Of an infinity, not a number.
SDE_APART inline Quarter<double> reduce_far(double x) {
  // After the binary point.
  constexpr std::uint32_t two_over_pi[] = {
      0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
      0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484,
      0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
      0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b,
      0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046};
  constexpr int words = 7;
  const std::uint64_t bits = BitsOf<double>::bits(x);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1075;
  const std::uint64_t mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  if (exponent == 0x7ff - 1075) return {x - x, x - x, 0.0};
  // Words before this one give multiples of 4.
  const int start = exponent < 2 ? 0 : (exponent - 2) / 32;
  std::uint32_t product[words + 3] = {};
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t factor = half == 0 ? mantissa & 0xffffffff : mantissa >> 32;
    std::uint64_t carry = 0;
    for (int i = 0; i < words; ++i) {
      carry += factor * two_over_pi[start + words - 1 - i] + product[half + i];
      product[half + i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    product[half + words] = static_cast<std::uint32_t>(carry);
  }
  const int point = 32 * (words + start) - exponent;  // bits of the product that stand after the binary point
  const auto word_at = [&](int bit) {
    const std::uint64_t two = (static_cast<std::uint64_t>(product[bit / 32 + 1]) << 32) | product[bit / 32];
    return static_cast<std::uint32_t>(two >> (bit % 32));
  };
  // To the nearest whole number: beyond a half, what is missing to the next one, to a unit of the last word.
  const std::uint32_t beyond = word_at(point - 32) >> 31;
  double f[5], unit = 1;
  for (int i = 0; i < 5; ++i) {
    unit *= 0x1p-32;
    f[i] = unit * (word_at(point - 32 * (i + 1)) ^ (0u - beyond));
  }
  detail::Parts<double> turn = detail::fast_two_sum(f[0], f[1]);
  turn = detail::fast_two_sum(turn.hi, turn.lo + (f[2] + (f[3] + f[4])));
  auto angle = detail::two_product(turn.hi, 0x1.921fb54442d18p+0);
  angle = detail::fast_two_sum(angle.hi, angle.lo + (turn.hi * 0x1.1a62633145c07p-54 + turn.lo * 0x1.921fb54442d18p+0));
  const double sign = x < 0 ? -1.0 : 1.0, side = beyond ? -sign : sign;
  const double quadrant = static_cast<double>((word_at(point) + beyond) & 3);
  return {side * angle.hi, side * angle.lo, sign * (quadrant > 2 ? -1.0 : quadrant)};
}

/// Up to here three parts of pi/2 do: two of 33 bits, whose products with k, the nearest multiple, are exact, and a
/// whole one. hi + lo is right to k 2^-121, which of no double up to here is more than 2^-53 of it.
inline constexpr double kNear = 0x1p17;

template <int W>
SDE_INLINE Quarter<Pack<double, W>> reduce(Pack<double, W> x) {
  using T = Pack<double, W>;
  const T magic = T(0x1.8p52);  // adding it rounds to the nearest integer
  const T k = (x * T(0.63661977236758134308) + magic) - magic;
  const T a = x - k * T(0x1.921fb54400000p+0), third = k * T(0x1.3198a2e037073p-69);
  const auto b = detail::two_sum(a, -(k * T(0x1.0b4611a600000p-34)));
  Quarter<T> r;
  r.hi = b.hi + (b.lo - third);
  r.lo = (b.hi - r.hi) + (b.lo - third);
  r.quadrant = k - T(4.0) * ((T(0.25) * k + magic) - magic);
  if (any(abs(x) > T(kNear)))
    for (int l = 0; l < W; ++l)
      if (x[l] > kNear || x[l] < -kNear) {
        const auto far = reduce_far(x[l]);
        r.hi.set(l, far.hi);
        r.lo.set(l, far.lo);
        r.quadrant.set(l, far.quadrant);
      }
  return r;
}
/// Floats as doubles: their lo is nothing to a float.
template <int W>
SDE_INLINE Quarter<Pack<float, W>> reduce(Pack<float, W> x) {
  const auto r = reduce(convert<double>(x));
  return {convert<float>(r.hi), Pack<float, W>(0.0f), convert<float>(r.quadrant)};
}

}  // namespace trigonometric_detail
}  // namespace SDE_SIMD_NAMESPACE

/// Sine and cosine of each lane in radians (fdlibm's polynomials). Of an infinity, not a number.
template <class S, int W>
SDE_INLINE void sin_cos(Pack<S, W> x, Pack<S, W>& sine, Pack<S, W>& cosine) {
  using T = Pack<S, W>;
  const auto r = trigonometric_detail::reduce(x);
  const T z = r.hi * r.hi, half = T(S(0.5)) * z, v = z * r.hi;
  T s, c;
  if constexpr (sizeof(S) == 8) {
    constexpr double s1 = -1.66666666666666324348e-01;
    constexpr double sc[] = {8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                             -2.50507602534068634195e-08, 1.58969099521155010221e-10};
    constexpr double cc[] = {4.16666666666666019037e-02,  -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                             -2.75573143513906633035e-07, 2.08757232129817482790e-09,  -1.13596475577881948265e-11};
    s = r.hi - ((z * (T(0.5) * r.lo - v * detail::polynomial(sc, z)) - r.lo) - v * T(s1));
    const T w = T(1.0) - half;
    c = w + (((T(1.0) - w) - half) + (z * z * detail::polynomial(cc, z) - r.hi * r.lo));
  } else {
    constexpr double sc[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880};
    constexpr double cc[] = {1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800};
    s = r.hi + v * detail::polynomial(sc, z);
    const T w = T(1.0f) - half;
    c = w + (((T(1.0f) - w) - half) + z * z * detail::polynomial(cc, z));
  }
  s = select(x == T(S(0)), x, s);  // a zero's sign
  const auto odd = abs(r.quadrant) == T(S(1)), opposite = abs(r.quadrant) == T(S(2));
  const T sn = select(odd, c, s), cs = select(odd, s, c);
  sine = select(opposite | (r.quadrant == T(S(-1))), -sn, sn);
  cosine = select(opposite | (r.quadrant == T(S(1))), -cs, cs);
}
/// sin of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> sin(Pack<S, W> x) {
  Pack<S, W> s, c;
  sin_cos(x, s, c);
  return s;
}
/// cos of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> cos(Pack<S, W> x) {
  Pack<S, W> s, c;
  sin_cos(x, s, c);
  return c;
}
/// tan of each lane; sine and cosine are right to their last place where they are nearly zero, so this is.
template <class S, int W>
SDE_INLINE Pack<S, W> tan(Pack<S, W> x) {
  Pack<S, W> s, c;
  sin_cos(x, s, c);
  return s / c;
}

namespace detail {

/// The magnitude with the sign of x.
template <class T>
SDE_INLINE T with_sign(T magnitude, T x) {
  using B = BitsOf<T>;
  using Word = typename BitsOf<scalar_of<T>>::U;
  constexpr Word sign = Word(1) << (8 * sizeof(Word) - 1);
  return B::real(B::bits(magnitude) | (B::bits(x) & typename B::U(sign)));
}

/// atan of 1/2, 1, 3/2 and infinity (K = 0 to 3) in two parts.
template <int K, class T>
SDE_INLINE void atan_of_centre(T& high, T& low) {
  using S = scalar_of<T>;
  constexpr double hi[] = {0x1.dac670561bb4fp-2, 0x1.921fb54442d18p-1, 0x1.f730bd281f69bp-1, 0x1.921fb54442d18p+0};
  constexpr double lo[] = {0x1.a2b7f222f65e2p-56, 0x1.1a62633145c07p-55, 0x1.007887af0cbbdp-56, 0x1.1a62633145c07p-54};
  constexpr S first = static_cast<S>(hi[K]);
  high = T(first);
  low = T(static_cast<S>((hi[K] - static_cast<double>(first)) + lo[K]));
}

}  // namespace detail

/// atan of each lane (fdlibm's reduction, atan t = atan c + atan((t - c)/(1 + c t)), and polynomial).
template <class S, int W>
SDE_INLINE Pack<S, W> atan(Pack<S, W> x) {
  using T = Pack<S, W>;
  const T a = abs(x);
  T top = T(S(-1)), bottom = a, high, low;
  detail::atan_of_centre<3>(high, low);
  const auto below = [&]<int K>(double end, T t, T b) {
    T h, l;
    detail::atan_of_centre<K>(h, l);
    const auto here = a < T(static_cast<S>(end));
    top = select(here, t, top);
    bottom = select(here, b, bottom);
    high = select(here, h, high);
    low = select(here, l, low);
  };
  below.template operator()<2>(2.4375, a - T(S(1.5)), T(S(1)) + T(S(1.5)) * a);
  below.template operator()<1>(1.1875, a - T(S(1)), a + T(S(1)));
  below.template operator()<0>(0.6875, (a + a) - T(S(1)), T(S(2)) + a);
  const auto small = a < T(S(0.4375));
  const T t = select(small, a, top) / select(small, T(S(1)), bottom), z = t * t;
  T tail;
  if constexpr (sizeof(S) == 8) {
    constexpr double c[] = {3.33333333333329318027e-01,  -1.99999999998764832476e-01, 1.42857142725034663711e-01,
                            -1.11111104054623557880e-01, 9.09088713343650656196e-02,  -7.69187620504482999495e-02,
                            6.66107313738753120669e-02,  -5.83357013379057348645e-02, 4.97687799461593236017e-02,
                            -3.65315727442169155270e-02, 1.62858201153657823623e-02};
    tail = t * (z * detail::polynomial(c, z));
  } else {
    constexpr double c[] = {3.3333328366e-01, -1.9999158382e-01, 1.4253635705e-01, -1.0648017377e-01, 6.1687607318e-02};
    tail = t * (z * detail::polynomial(c, z));
  }
  return detail::with_sign(select(small, t - tail, high - ((tail - low) - t)), x);
}

SDE_PLAIN(sin)
SDE_PLAIN(cos)
SDE_PLAIN(tan)
SDE_PLAIN(atan)
/// Sine and cosine of a plain number, with a lane's bits.
template <PlainNumber X>
SDE_INLINE void sin_cos(X x, scalar_of<OneLane<X>>& sine, scalar_of<OneLane<X>>& cosine) {
  OneLane<X> s, c;
  sin_cos(detail::one_lane(x), s, c);
  sine = s.v;
  cosine = c.v;
}

}  // namespace sde
