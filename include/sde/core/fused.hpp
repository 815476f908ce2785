// Products that are added with one rounding: the same bits on every machine, and twice the rate where it has an
// instruction for them (x86-64-v3 and up, GPUs). Elsewhere a call for each lane, slower by far.
#pragma once

#include <cmath>

#include "sde/core/pack.hpp"

namespace sde {

/// a b + c, correctly rounded.
SDE_DEVICE inline double multiply_add(double a, double b, double c) { return ::fma(a, b, c); }
/// a b + c, correctly rounded.
SDE_DEVICE inline float multiply_add(float a, float b, float c) { return ::fmaf(a, b, c); }

inline namespace SDE_SIMD_NAMESPACE {

/// a b + c, correctly rounded.
template <class S>
SDE_INLINE Pack<S, 1> multiply_add(Pack<S, 1> a, Pack<S, 1> b, Pack<S, 1> c) {
  return Pack<S, 1>(sde::multiply_add(a.v, b.v, c.v));
}

#if !defined(__CUDACC__)

/// a b + c of each lane, correctly rounded.
template <class S, int W>
SDE_INLINE Pack<S, W> multiply_add(const Pack<S, W>& a, const Pack<S, W>& b, const Pack<S, W>& c) {
  using P = Pack<S, W>;
  if constexpr (!P::kWhole) {
    return P(multiply_add(a.lo, b.lo, c.lo), multiply_add(a.hi, b.hi, c.hi));
  } else {
    // Neither compiler sees the vector in a loop over its lanes.
    [[maybe_unused]] constexpr bool wide = sizeof(S) == 8;
#  if defined(__AVX512F__)
    if constexpr (sizeof(typename P::Vector) == 64) {
      if constexpr (wide)
        return P(typename P::Vector(_mm512_fmadd_pd((__m512d)a.v, (__m512d)b.v, (__m512d)c.v)));
      else
        return P(typename P::Vector(_mm512_fmadd_ps((__m512)a.v, (__m512)b.v, (__m512)c.v)));
    }
#  endif
#  if defined(__FMA__)
    if constexpr (sizeof(typename P::Vector) == 32) {
      if constexpr (wide)
        return P(typename P::Vector(_mm256_fmadd_pd((__m256d)a.v, (__m256d)b.v, (__m256d)c.v)));
      else
        return P(typename P::Vector(_mm256_fmadd_ps((__m256)a.v, (__m256)b.v, (__m256)c.v)));
    }
    if constexpr (sizeof(typename P::Vector) == 16) {
      if constexpr (wide)
        return P(typename P::Vector(_mm_fmadd_pd((__m128d)a.v, (__m128d)b.v, (__m128d)c.v)));
      else
        return P(typename P::Vector(_mm_fmadd_ps((__m128)a.v, (__m128)b.v, (__m128)c.v)));
    }
#  endif
    P sum;
    for (int l = 0; l < W; ++l) sum.v[l] = sde::multiply_add(a.v[l], b.v[l], c.v[l]);
    return sum;
  }
}

#endif

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
