// Small tables that lanes look up in registers: data of few samples, where the machine has the instruction (AVX-512).
#pragma once

#include "sde/core/pack.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

#if defined(__CUDACC__) || SDE_REGISTER_BYTES < 64

/// lookup() takes tables of up to this many values; 0 where the machine does not look up in registers.
template <class S>
inline constexpr int kLookupSize = 0;
template <class S, int W, class I>
Pack<S, W> lookup(const S* table, int n, Pack<I, W> index) = delete;

#else

template <class S>
inline constexpr int kLookupSize = 4 * SDE_REGISTER_BYTES / static_cast<int>(sizeof(S));

/// Lane l is table[index[l]]. The table has room for kLookupSize<S> values, of which the first `n` are in use. I is an
/// unsigned integer of S's size.
template <class S, int W, class I>
SDE_INLINE Pack<S, W> lookup(const S* table, int n, Pack<I, W> index) {
  if constexpr (!Pack<S, W>::kWhole) {
    return Pack<S, W>(lookup<S>(table, n, index.lo), lookup<S>(table, n, index.hi));
  } else {
    static_assert(4 * W == kLookupSize<S> && sizeof(I) == sizeof(S));
    using P = Pack<S, W>;
    // Of two registers of the table; the higher bits of an index are ignored.
    const auto pick = [&](const S* from) {
      const P first = P::load(from), second = P::load(from + W);
      const auto all = (__m512i)first.v, more = (__m512i)second.v, which = (__m512i)index.v;
      if constexpr (sizeof(S) == 8)
        return P((typename P::Vector)_mm512_permutex2var_epi64(all, which, more));
      else
        return P((typename P::Vector)_mm512_permutex2var_epi32(all, which, more));
    };
    const P low = pick(table);
    if (n <= 2 * W) return low;
    const P high = pick(table + 2 * W);
    return select(Mask<S, W>{typename Mask<S, W>::Bits(index.v < static_cast<I>(2 * W))}, low, high);
  }
}

#endif

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
