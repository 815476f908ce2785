// What sums and products round off, exactly, without fused multiply-adds: for arithmetic in twice the precision.
#pragma once

#include "sde/core/math.hpp"

namespace sde::detail {

/// A number in two parts, |lo| at most half a unit of hi.
template <class T>
struct Parts {
  T hi, lo;
};

/// a + b for |a| >= |b|, or a = 0 (Dekker 1971).
template <class T>
SDE_INLINE Parts<T> fast_two_sum(T a, T b) {
  const T s = a + b;
  return {s, b - (s - a)};
}
/// a + b (Knuth).
template <class T>
SDE_INLINE Parts<T> two_sum(T a, T b) {
  const T s = a + b, bb = s - a;
  return {s, (a - (s - bb)) + (b - bb)};
}
/// a b, from halves of both whose products are exact to 2^-105 of it (floats: 2^-47).
template <class T>
SDE_INLINE Parts<T> two_product(T a, T b) {
  using B = BitsOf<T>;
  using Word = typename BitsOf<scalar_of<T>>::U;
  constexpr Word low = (Word(1) << (sizeof(Word) == 8 ? 27 : 12)) - 1;
  const typename B::U upper(static_cast<Word>(~low));
  const T ah = B::real(B::bits(a) & upper), bh = B::real(B::bits(b) & upper), al = a - ah, bl = b - bh;
  const T p = a * b;
  return {p, (((ah * bh - p) + ah * bl) + al * bh) + al * bl};
}

}  // namespace sde::detail
