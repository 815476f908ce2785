// Elementary functions written once for double and for packs of doubles: the same operations in the same order in
// every lane, so that results are the same bits for any SIMD width and on any device (libm's are not).
// Accuracy: 2 ulp for exp and log, 1e-16 absolute for sin and cos; held against libm by tests/test_math.cpp.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "sde/core/pack.hpp"

namespace sde {

// Bit patterns of doubles and unsigned words, scalar and in lanes.
template <class T>
struct BitsOf;
template <>
struct BitsOf<double> {
  using U = std::uint64_t;
  using I = std::int64_t;
  static U bits(double x) { return std::bit_cast<U>(x); }
  static double real(U u) { return std::bit_cast<double>(u); }
  static double from_int(I i) { return static_cast<double>(i); }
};
template <int W>
struct BitsOf<Pack<double, W>> {
  using U = typename detail::VectorOf<std::uint64_t, W>::type;
  using I = typename detail::VectorOf<std::int64_t, W>::type;
  static U bits(Pack<double, W> x) { return (U)x.v; }
  static Pack<double, W> real(U u) { return Pack<double, W>((typename Pack<double, W>::Vector)u); }
  static Pack<double, W> from_int(I i) {
    return Pack<double, W>(__builtin_convertvector(i, typename Pack<double, W>::Vector));
  }
};

using std::sqrt;
template <class S, int W>
Pack<S, W> sqrt(Pack<S, W> x) {
  Pack<S, W> r;
  for (int l = 0; l < W; ++l) r.v[l] = __builtin_sqrt(x.v[l]);
  return r;
}

using std::abs;
template <int W>
Pack<double, W> abs(Pack<double, W> x) {
  using B = BitsOf<Pack<double, W>>;
  return B::real(B::bits(x) & 0x7fffffffffffffffull);
}

namespace detail {

/// exp by reduction to |r| <= ln2/2 and the Taylor polynomial of degree 13; arguments are clamped to [-708, 708].
template <class T>
T exp_kernel(T x) {
  using B = BitsOf<T>;
  x = select(x < T(-708.0), T(-708.0), x);
  x = select(x > T(708.0), T(708.0), x);
  const T magic = T(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to the nearest integer
  const T shifted = x * T(1.4426950408889634074) + magic;
  const T k = shifted - magic;
  const T r = (x - k * T(6.93147180369123816490e-01)) - k * T(1.90821492927058770002e-10);
  T p = T(1.0 / 6227020800.0);
  p = p * r + T(1.0 / 479001600.0);
  p = p * r + T(1.0 / 39916800.0);
  p = p * r + T(1.0 / 3628800.0);
  p = p * r + T(1.0 / 362880.0);
  p = p * r + T(1.0 / 40320.0);
  p = p * r + T(1.0 / 5040.0);
  p = p * r + T(1.0 / 720.0);
  p = p * r + T(1.0 / 120.0);
  p = p * r + T(1.0 / 24.0);
  p = p * r + T(1.0 / 6.0);
  p = p * r + T(0.5);
  p = p * r * r + r + T(1.0);
  const auto exponent = (B::bits(shifted) << 52);  // the integer k sits in the low bits of `shifted`
  return B::real(B::bits(p) + exponent);
}

/// Natural logarithm of a positive normal number (fdlibm's reduction and polynomial).
template <class T>
T log_kernel(T x) {
  using B = BitsOf<T>;
  auto bits = B::bits(x);
  const auto shifted = bits - 0x3fe6a09e667f3bcdull;  // makes the mantissa lie in [sqrt(1/2), sqrt(2))
  const auto k = (typename B::I)(shifted) >> 52;
  const T m = B::real(bits - ((typename B::U)k << 52));
  const T kd = B::from_int(k);
  const T f = m - T(1.0);
  const T s = f / (T(2.0) + f);
  const T z = s * s;
  T R = T(1.479819860511658591e-01);
  R = R * z + T(1.531383769920937332e-01);
  R = R * z + T(1.818357216161805012e-01);
  R = R * z + T(2.222219843214978396e-01);
  R = R * z + T(2.857142874366239149e-01);
  R = R * z + T(3.999999999940941908e-01);
  R = R * z + T(6.666666666666735130e-01);
  R = R * z;
  const T half = T(0.5) * f * f;
  return kd * T(6.93147180369123816490e-01) - ((half - (s * (half + R) + kd * T(1.90821492927058770002e-10))) - f);
}

/// sin and cos of 2 pi (w + 1/2) / 2^32 for a 32-bit word w held in an unsigned 64-bit lane.
template <class T>
void sincos_word(typename BitsOf<T>::U w, T& sine, T& cosine) {
  using B = BitsOf<T>;
  const auto rotated = (w + 0x20000000ull) & 0xffffffffull;
  const auto quadrant = rotated >> 30;
  const auto offset = (typename B::I)(rotated & 0x3fffffffull) - 0x20000000ll;
  const T a = (B::from_int(offset) + T(0.5)) * T(1.4629180792671596e-09);  // 2 pi / 2^32
  const T z = a * a;
  T s = T(1.58969099521155010221e-10);
  s = s * z + T(-2.50507602534068634195e-08);
  s = s * z + T(2.75573137070700676789e-06);
  s = s * z + T(-1.98412698298579493134e-04);
  s = s * z + T(8.33333333332248946124e-03);
  s = s * z + T(-1.66666666666666324348e-01);
  s = a + a * z * s;
  T c = T(-1.13596475577881948265e-11);
  c = c * z + T(2.08757232129817482790e-09);
  c = c * z + T(-2.75573143513906633035e-07);
  c = c * z + T(2.48015872894767294178e-05);
  c = c * z + T(-1.38888888888741095749e-03);
  c = c * z + T(4.16666666666666019037e-02);
  c = T(1.0) - T(0.5) * z + z * z * c;
  // quadrant 1: (c, -s); 2: (-s, -c); 3: (-c, s) for (sine, cosine)
  const auto swap = typename B::U{} - (quadrant & 1ull);
  const auto sb = B::bits(s), cb = B::bits(c);
  const auto sign_s = (quadrant & 2ull) << 62;
  const auto sign_c = ((quadrant + 1ull) & 2ull) << 62;
  sine = B::real(((sb & ~swap) | (cb & swap)) ^ sign_s);
  cosine = B::real(((cb & ~swap) | (sb & swap)) ^ sign_c);
}

/// tanh from exp, with the odd Taylor/continued-fraction form near 0 where 1 - exp cancels.
template <class T>
T tanh_kernel(T x) {
  const T a = abs(x);
  const T e = exp_kernel(a + a);
  const T large = T(1.0) - T(2.0) / (e + T(1.0));
  const T z = x * x;  // Lambert's continued fraction, exact to 1e-17 relative below 0.5
  const T small =
      a / (T(1.0) +
           z / (T(3.0) + z / (T(5.0) + z / (T(7.0) + z / (T(9.0) + z / (T(11.0) + z / (T(13.0) + z / T(15.0))))))));
  const T magnitude = select(a < T(0.5), small, large);
  return select(x < T(0.0), -magnitude, magnitude);
}

template <class F, int W>
Pack<double, W> each_lane(Pack<double, W> x, F f) {
  for (int l = 0; l < W; ++l) x.v[l] = f(x.v[l]);
  return x;
}

}  // namespace detail

using std::cos;
using std::exp;
using std::log;
using std::sin;
using std::tanh;
template <int W>
Pack<double, W> exp(Pack<double, W> x) {
  return detail::exp_kernel(x);
}
template <int W>
Pack<double, W> log(Pack<double, W> x) {
  return detail::log_kernel(x);
}
template <int W>
Pack<double, W> tanh(Pack<double, W> x) {
  return detail::tanh_kernel(x);
}
template <int W>
Pack<double, W> sin(Pack<double, W> x) {
  return detail::each_lane(x, [](double v) { return std::sin(v); });
}
template <int W>
Pack<double, W> cos(Pack<double, W> x) {
  return detail::each_lane(x, [](double v) { return std::cos(v); });
}

}  // namespace sde
