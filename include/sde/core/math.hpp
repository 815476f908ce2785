// Elementary functions written once for doubles, floats and packs of them: the same operations in the same order in
// every lane, so that results are the same bits for any SIMD width and on any device (libm's are not).
// Accuracy, held against libm by tests/test_math.cpp: exp, log and 1/sqrt 2 ulp, tanh 4 ulp, sine and cosine of a word
// 1e-16 absolute (floats: the same in units of their own rounding). Here is what kernels call; functions.hpp has all.
#pragma once

#include <math.h>  // abs(double) for losses outside namespace sde: <cmath> alone leaves them abs(int)

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sde/core/convert.hpp"
#include "sde/core/pack.hpp"

namespace sde {

// Unsigned words of the width of T (U), as the bits of T and as numbers.
template <class T>
struct BitsOf;
template <>
struct BitsOf<double> {
  using U = std::uint64_t;
  SDE_DEVICE static U bits(double x) { return std::bit_cast<U>(x); }
  SDE_DEVICE static double real(U u) { return std::bit_cast<double>(u); }
  SDE_DEVICE static double from_word(U w) { return real(w | 0x4330000000000000ull) - 0x1p52; }
};
template <>
struct BitsOf<float> {
  using U = std::uint32_t;
  SDE_DEVICE static U bits(float x) { return std::bit_cast<U>(x); }
  SDE_DEVICE static float real(U u) { return std::bit_cast<float>(u); }
  SDE_DEVICE static float from_word(U w) { return static_cast<float>(w); }
};
template <class S, int W>
struct BitsOf<Pack<S, W>> {
  using Word = typename BitsOf<S>::U;
  using U = Pack<Word, W>;
  SDE_DEVICE static U bits(Pack<S, W> x) { return cast_bits<Word>(x); }
  SDE_DEVICE static Pack<S, W> real(U u) { return cast_bits<S>(u); }
  /// The value of a word below 2^32, rounded to nearest.
  SDE_DEVICE static Pack<S, W> from_word(U w) {
    if constexpr (sizeof(S) == 8)  // no 64-bit conversion before AVX-512: written into the mantissa of 2^52 instead
      return real(w | U(0x4330000000000000ull)) - Pack<S, W>(0x1p52);
    else
      return convert<S>(w);
  }
};

/// Rounding unit of T's scalar.
template <class T>
inline constexpr double epsilon_of = sizeof(scalar_of<T>) == 8 ? 0x1p-52 : 0x1p-23;

using std::abs;
using std::sqrt;
/// Absolute value of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> abs(Pack<S, W> x) {
  using B = BitsOf<Pack<S, W>>;
  constexpr typename B::Word sign = typename B::Word(1) << (8 * sizeof(S) - 1);
  return B::real(B::bits(x) & typename B::U(static_cast<typename B::Word>(~sign)));
}

/// 1/sqrt(x) of a positive normal number, to 2 ulp; of a negative one not a number. A linear guess of the exponent and
/// Newton's method, four steps (three for floats): no root and no division, fewer instructions than those on a GPU.
template <class T>
SDE_INLINE T inverse_sqrt(T x) {
  using B = BitsOf<T>;
  using Word = typename BitsOf<scalar_of<T>>::U;
  constexpr bool wide = sizeof(scalar_of<T>) == 8;
  constexpr Word guess = static_cast<Word>(wide ? 0x5fe6eb50c7b537a9ull : 0x5f375a86ull);
  T y = B::real(typename B::U(guess) - (B::bits(x) >> 1));
  const T half = T(0.5) * x;
  for (int step = 0; step < (wide ? 3 : 2); ++step) y = y * (T(1.5) - half * (y * y));
  y = y + y * (T(0.5) - half * (y * y));
  return select(x >= T(0.0), y, T(std::numeric_limits<double>::quiet_NaN()));
}

namespace detail {

/// sum_k c[k] x^k, k < N, with even and odd powers apart: half the latency of Horner's scheme. A long one is two
/// halves: half of that.
template <int N, class T>
SDE_INLINE T polynomial(const double* c, T x) {
  const T z = x * x;
  if constexpr (N > 8) {
    constexpr int half = N / 4 * 2;
    T power = z;
    for (int k = 2; k < half; k += 2) power = power * z;
    return polynomial<half>(c, x) + polynomial<N - half>(c + half, x) * power;
  }
  T even = T(c[(N - 1) / 2 * 2]);
  for (int k = (N - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = even * z + T(c[k]);
  if constexpr (N == 1) return even;
  T odd = T(c[N / 2 * 2 - 1]);
  for (int k = N / 2 * 2 - 3; k >= 1; k -= 2) odd = odd * z + T(c[k]);
  return even + odd * x;
}
template <class T, int N>
SDE_INLINE T polynomial(const double (&c)[N], T x) {
  return polynomial<N>(c, x);
}

/// exp(x) = scale (1 + r + r2q), scale = 2^k, r = x - k ln 2 in [-ln2/2, ln2/2], r2q = exp(r) - 1 - r by its Taylor
/// polynomial. Arguments are clamped to the range where scale is a normal number.
template <class T>
struct ExpParts {
  T scale, k, r, r2q;
};
// ln 2 in two parts, the high one short enough that k times it is exact.
template <class T>
inline constexpr double kLn2High = sizeof(scalar_of<T>) == 8 ? 6.93147180369123816490e-01 : 0.693359375;
template <class T>
inline constexpr double kLn2Low = sizeof(scalar_of<T>) == 8 ? 1.90821492927058770002e-10 : -2.12194440e-4;
template <class T>
inline constexpr double kLargestExponent = sizeof(scalar_of<T>) == 8 ? 708.0 : 87.0;

/// exp(r) - 1 - r for |r| <= ln2/2.
template <class T>
SDE_INLINE T exp_remainder(const T& r) {
  if constexpr (sizeof(scalar_of<T>) == 8) {
    constexpr double c[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                            1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                            1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
    return r * r * polynomial(c, r);
  } else {
    constexpr double c[] = {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040};
    return r * r * polynomial(c, r);
  }
}

template <class T>
SDE_INLINE ExpParts<T> exp_parts(T x) {
  using B = BitsOf<T>;
  constexpr bool wide = sizeof(scalar_of<T>) == 8;
  constexpr double most = kLargestExponent<T>;
  x = select(x < T(-most), T(-most), x);
  x = select(x > T(most), T(most), x);
  const T magic = T(wide ? 0x1.8p52 : 0x1.8p23);  // adding it rounds to the nearest integer
  const T shifted = x * T(1.4426950408889634074) + magic;
  ExpParts<T> e;
  e.k = shifted - magic;
  e.r = (x - e.k * T(kLn2High<T>)) - e.k * T(kLn2Low<T>);
  // the integer k sits in the low bits of `shifted`
  e.scale = B::real((B::bits(shifted) << (wide ? 52 : 23)) + B::bits(T(1.0)));
  e.r2q = exp_remainder(e.r);
  return e;
}

template <class T>
SDE_INLINE T exp_kernel(T x) {
  const auto e = exp_parts(x);
  return e.scale * (e.r2q + e.r + T(1.0));
}

/// Natural logarithm of a positive normal number (fdlibm's reduction and polynomial, shorter for floats).
template <class T>
SDE_INLINE T log_kernel(T x) {
  using B = BitsOf<T>;
  constexpr bool wide = sizeof(scalar_of<T>) == 8;
  using Word = typename BitsOf<scalar_of<T>>::U;
  constexpr int digits = wide ? 52 : 23;
  constexpr Word root_half = static_cast<Word>(wide ? 0x3fe6a09e667f3bcdull : 0x3f3504f3ull);
  constexpr Word bias = Word(1) << (wide ? 10 : 7);
  // x = 2^k m with m in [sqrt(1/2), sqrt(2)); k + bias is not negative
  const auto biased =
      (B::bits(x) - typename B::U(root_half) + typename B::U(static_cast<Word>(bias << digits))) >> digits;
  const T kd = B::from_word(biased) - T(static_cast<double>(bias));
  const T m = B::real(B::bits(x) - (biased << digits) + typename B::U(static_cast<Word>(bias << digits)));
  const T f = m - T(1.0);
  const T s = f / (T(2.0) + f);
  const T z = s * s;
  T R;
  if constexpr (wide) {
    constexpr double c[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                            2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                            1.479819860511658591e-01};
    R = z * polynomial(c, z);
  } else {
    constexpr double c[] = {0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841};
    R = z * polynomial(c, z);
  }
  const T half = T(0.5) * f * f;
  return kd * T(kLn2High<T>) - ((half - (s * (half + R) + kd * T(kLn2Low<T>))) - f);
}

/// sin and cos of 2 pi (w + 1/2) / 2^32 for a word w below 2^32.
template <class T>
SDE_INLINE void sincos_word(typename BitsOf<T>::U w, T& sine, T& cosine) {
  using B = BitsOf<T>;
  constexpr bool wide = sizeof(scalar_of<T>) == 8;
  using U = typename B::U;
  using Word = typename BitsOf<scalar_of<T>>::U;
  const U rotated = w + U(Word(0x20000000u));  // bits 30 and 31 are the quadrant, whatever stands above them
  const U quadrant = rotated >> 30;
  const T offset = B::from_word(rotated & U(Word(0x3fffffffu))) - T(0x1p29 - 0.5);
  const T a = offset * T(1.4629180792671596e-09);  // 2 pi / 2^32
  const T z = a * a;
  T s, c;
  if constexpr (wide) {
    constexpr double sc[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,  -1.98412698298579493134e-04,
                             2.75573137070700676789e-06,  -2.50507602534068634195e-08, 1.58969099521155010221e-10};
    constexpr double cc[] = {4.16666666666666019037e-02,  -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                             -2.75573143513906633035e-07, 2.08757232129817482790e-09,  -1.13596475577881948265e-11};
    s = a + a * z * polynomial(sc, z);
    c = T(1.0) - T(0.5) * z + z * z * polynomial(cc, z);
  } else {
    constexpr double sc[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880};
    constexpr double cc[] = {1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800};
    s = a + a * z * polynomial(sc, z);
    c = T(1.0) - T(0.5) * z + z * z * polynomial(cc, z);
  }
  // quadrant 1: (c, -s); 2: (-s, -c); 3: (-c, s) for (sine, cosine)
  constexpr int sign_bit = wide ? 62 : 30;
  const U swap = U(Word(0)) - (quadrant & U(Word(1)));
  const U sb = B::bits(s), cb = B::bits(c);
  const U sign_s = (quadrant & U(Word(2))) << sign_bit;
  const U sign_c = ((quadrant + U(Word(1))) & U(Word(2))) << sign_bit;
  sine = B::real(((sb & ~swap) | (cb & swap)) ^ sign_s);
  cosine = B::real(((cb & ~swap) | (sb & swap)) ^ sign_c);
}

/// tanh(a) = m / (m + 2), m = exp(2a) - 1 without cancellation, a = |x|.
template <class T>
SDE_INLINE T tanh_kernel(T x) {
  const T a = abs(x);
  const auto e = exp_parts(a + a);
  const T m = e.scale * (e.r2q + e.r) + (e.scale - T(1.0));
  const T magnitude = select(a >= T(20.0), T(1.0), m / (m + T(2.0)));  // not a number stays one
  return select(x < T(0.0), -magnitude, magnitude);
}

}  // namespace detail

using std::exp;
using std::log;
using std::tanh;
/// exp of each lane, of an argument beyond 708 (floats 87) as of 708, likewise below. (exp, log and tanh of a double
/// are libm's, other bits.)
template <class S, int W>
SDE_INLINE Pack<S, W> exp(Pack<S, W> x) {
  return detail::exp_kernel(x);
}
/// log of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> log(Pack<S, W> x) {
  using P = Pack<S, W>;
  constexpr S infinity = std::numeric_limits<S>::infinity();
  const P finite = select(x < P(infinity), detail::log_kernel(x), x);
  return select(x <= P(0.0), select(x < P(0.0), P(std::numeric_limits<S>::quiet_NaN()), P(-infinity)), finite);
}
/// tanh of each lane.
template <class S, int W>
SDE_INLINE Pack<S, W> tanh(Pack<S, W> x) {
  return detail::tanh_kernel(x);
}

/// The smaller one; where either is not a number, or both are equal, the first.
SDE_DEVICE inline double min(double a, double b) { return b < a ? b : a; }
/// The larger one, likewise.
SDE_DEVICE inline double max(double a, double b) { return a < b ? b : a; }

}  // namespace sde
