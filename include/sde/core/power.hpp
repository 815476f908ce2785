// Powers, with the same operations in every lane and for plain numbers. Accuracy, in units of the last place and held
// against long double by tests/test_special.cpp: 1 for exponents that are no small multiples of 1/2.
#pragma once

#include "sde/core/special.hpp"

namespace sde {
namespace detail {

/// log x of normal and subnormal x > 0 to 2^-64 of it: 2 atanh s = 2 s + s^3 (2/3 + 2/5 s^2 + ...), s = (m - 1)/(m +
/// 1), with s, its square and the sum of the first two terms in two parts.
template <int W>
SDE_INLINE Parts<Pack<double, W>> log_parts(Pack<double, W> x) {
  using T = Pack<double, W>;
  using B = BitsOf<T>;
  using U = typename B::U;
  constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd, bias = 1024;
  const auto subnormal = x < T(0x1p-1022);
  x = select(subnormal, x * T(0x1p54), x);
  const U biased = (B::bits(x) - U(root_half) + U(bias << 52)) >> 52;
  const T k = B::from_word(biased) - select(subnormal, T(bias + 54.0), T(bias + 0.0));
  const T m = B::real(B::bits(x) - (biased << 52) + U(bias << 52));
  const T f = m - T(1.0), g = T(2.0) + f, g_lost = f - (g - T(2.0));
  Parts<T> s;
  s.hi = f / g;
  const auto back = two_product(s.hi, g);
  s.lo = (((f - back.hi) - back.lo) - s.hi * g_lost) / g;
  auto z = two_product(s.hi, s.hi);
  z.lo = z.lo + T(2.0) * (s.hi * s.lo);
  constexpr double c[] = {2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13, 2.0 / 15,
                          2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25, 2.0 / 27};
  auto q = fast_two_sum(T(2.0 / 3), z.hi * polynomial(c, z.hi));
  q.lo = q.lo + T(0x1.5555555555555p-55);  // of 2/3
  auto cubic = two_product(z.hi, q.hi);
  cubic.lo = cubic.lo + (z.hi * q.lo + z.lo * q.hi);
  const auto c3 = two_product(s.hi, cubic.hi);
  const T c3_lo = c3.lo + (s.hi * cubic.lo + s.lo * cubic.hi);
  const auto mantissa = fast_two_sum(s.hi + s.hi, c3.hi);
  const auto sum = two_sum(k * T(kLn2High<T>), mantissa.hi);
  return fast_two_sum(sum.hi, sum.lo + (k * T(kLn2Low<T>) + (mantissa.lo + (s.lo + s.lo + c3_lo))));
}

/// x^p as the C standard has it, but for the sign of a power of zero, and with whole numbers from 2^51 on taken as
/// even.
template <int W>
SDE_INLINE Pack<double, W> power(Pack<double, W> x, Pack<double, W> p) {
  using T = Pack<double, W>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const T a = abs(x), magic = T(0x1.8p52), half = T(0.5) * p;
  auto l = log_parts(a);
  l.hi = select(a == T(0.0), T(-infinity), select(a == T(infinity), a, select(a == a, l.hi, a)));
  auto y = two_product(p, l.hi);
  y.lo = y.lo + p * l.lo;
  const T magnitude = exp_everywhere(y.hi, select(abs(y.hi) < T(800.0), y.lo, T(0.0)));
  const auto large = abs(p) >= T(0x1p51);  // a whole number
  const auto whole = large | (((p + magic) - magic) == p), even = large | (((half + magic) - magic) == half);
  const T signed_power =
      select(even, magnitude, select(whole, -magnitude, T(std::numeric_limits<double>::quiet_NaN())));
  return select(p == T(0.0), T(1.0), select(x < T(0.0), signed_power, magnitude));
}

}  // namespace detail

/// x^n by multiplications, in the same order for every T; x^0 = 1.
template <class S, int W>
SDE_INLINE Pack<S, W> pow(Pack<S, W> x, int n) {
  Pack<S, W> result(S(1)), square = x;
  for (unsigned left = n < 0 ? 0u - static_cast<unsigned>(n) : static_cast<unsigned>(n); left != 0; left >>= 1) {
    if (left & 1u) result *= square;
    square *= square;
  }
  return n < 0 ? Pack<S, W>(S(1)) / result : result;
}
/// x^p with an exponent for each lane, for x > 0. Of negative x it is a number where p is whole. Floats are computed as
/// doubles.
template <class S, int W>
SDE_INLINE Pack<S, W> pow(Pack<S, W> x, Pack<S, W> p) {
  if constexpr (sizeof(S) == 8)
    return detail::power(x, p);
  else
    return convert<S>(detail::power(convert<double>(x), convert<double>(p)));
}
/// The same with one exponent; whole ones to 4 and halves to 3/2 by multiplications and a square root.
template <class S, int W>
SDE_INLINE Pack<S, W> pow(Pack<S, W> x, double p) {
  using T = Pack<S, W>;
  const double size = p < 0 ? -p : p;
  if (size <= 4) {
    const int n = static_cast<int>(size);
    const bool half = size <= 1.5 && size - n == 0.5;
    if (half || size == n) {
      const T whole = pow(x, n), result = half ? n == 0 ? sqrt(x) : whole * sqrt(x) : whole;
      return p < 0 ? T(S(1)) / result : result;
    }
  }
  if constexpr (sizeof(S) == 8)
    return detail::power(x, T(p));
  else
    return convert<S>(detail::power(convert<double>(x), Pack<double, W>(p)));
}

/// pow of plain numbers, with a lane's bits.
template <PlainNumber X, PlainNumber P>
SDE_INLINE auto pow(X x, P p) {
  if constexpr (std::is_integral_v<P> && sizeof(P) <= sizeof(int))
    return pow(detail::one_lane(x), static_cast<int>(p)).v;
  else
    return pow(detail::one_lane(x), static_cast<double>(p)).v;
}

}  // namespace sde
