// Packs as packs of another type: the same bits, or the same values.
#pragma once

#include "sde/core/pack.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

/// The same bits as another type of the same size.
template <class To, class From>
SDE_INLINE Pack<To, 1> cast_bits(Pack<From, 1> x) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &x.v, sizeof(To));
  return Pack<To, 1>(to);
}
/// The value converted to another type, as by static_cast.
template <class To, class From>
SDE_INLINE Pack<To, 1> convert(Pack<From, 1> x) {
  return Pack<To, 1>(static_cast<To>(x.v));
}

#if !defined(__CUDACC__)

/// The same bits as another type of the same size.
template <class To, class From, int W>
SDE_INLINE Pack<To, W> cast_bits(Pack<From, W> x) {
  static_assert(sizeof(To) == sizeof(From));
  if constexpr (Pack<From, W>::kWhole)
    return Pack<To, W>((typename Pack<To, W>::Vector)x.v);
  else
    return Pack<To, W>(cast_bits<To>(x.lo), cast_bits<To>(x.hi));
}

namespace pack_detail {

template <class S, int W>
SDE_INLINE Pack<S, W> join(Pack<S, W / 2> lo, Pack<S, W / 2> hi) {
  if constexpr (!Pack<S, W>::kWhole) {
    return Pack<S, W>(lo, hi);
  } else {
    return [&]<int... l>(std::integer_sequence<int, l...>) {
      return Pack<S, W>(__builtin_shufflevector(lo.v, hi.v, l...));
    }
    (std::make_integer_sequence<int, W>());
  }
}
template <int Part, class S, int W>
SDE_INLINE Pack<S, W / 2> half(Pack<S, W> x) {
  if constexpr (!Pack<S, W>::kWhole) {
    return Part == 0 ? x.lo : x.hi;
  } else {
    return [&]<int... l>(std::integer_sequence<int, l...>) {
      return Pack<S, W / 2>(__builtin_shufflevector(x.v, x.v, (Part * W / 2 + l)...));
    }
    (std::make_integer_sequence<int, W / 2>());
  }
}

}  // namespace pack_detail

/// Values converted to another type of any size, as by static_cast.
template <class To, class From, int W>
SDE_INLINE Pack<To, W> convert(Pack<From, W> x) {
  if constexpr (Pack<From, W>::kWhole && Pack<To, W>::kWhole)
    return Pack<To, W>(__builtin_convertvector(x.v, typename Pack<To, W>::Vector));
  else
    return pack_detail::join<To, W>(convert<To>(pack_detail::half<0>(x)), convert<To>(pack_detail::half<1>(x)));
}

#endif

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
