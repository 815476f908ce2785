// Philox4x32-10 (Salmon et al., SC 2011): bits = f(counter, key). Random123 gives the scalar function; the lane
// version runs the same rounds on W counters at once and is held to Random123's words by a test.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>
#if defined(__AVX2__)
#  include <immintrin.h>
#endif

#include "sde/core/math.hpp"

namespace sde::random {

using Words = std::array<std::uint32_t, 4>;

/// The four words of Philox4x32-10 for a 128-bit counter and a 64-bit key.
inline Words philox(Words counter, std::uint64_t key) {
  r123::Philox4x32 generator;
  const r123::Philox4x32::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type k = {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
  const auto r = generator(c, k);
  return {r[0], r[1], r[2], r[3]};
}

namespace detail {

inline std::uint64_t multiply_words(std::uint64_t a, std::uint32_t b) { return a * b; }

/// Product of 32-bit words held in 64-bit lanes. The compiler does not see that the upper halves are zero, so the
/// 32 x 32 -> 64 instruction is named where there is one.
template <class U>
requires(sizeof(U) == 64) U multiply_words(U a, std::uint32_t b) {
#if defined(__AVX512F__)
  return (U)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
  union {
    U whole;
    __m256i half[2];
  } x{a};
  x.half[0] = _mm256_mul_epu32(x.half[0], _mm256_set1_epi64x(b));
  x.half[1] = _mm256_mul_epu32(x.half[1], _mm256_set1_epi64x(b));
  return x.whole;
#else
  return a * (std::uint64_t)b;
#endif
}

}  // namespace detail

/// Philox on lanes: words are 32-bit values in 64-bit lanes; `key` is the same in all lanes.
template <class U>
void philox_lanes(U (&c)[4], std::uint64_t key) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const U p0 = detail::multiply_words(c[0], 0xD2511F53u);
    const U p1 = detail::multiply_words(c[2], 0xCD9E8D57u);
    const U n0 = (p1 >> 32) ^ c[1] ^ (std::uint64_t)k0;
    const U n2 = (p0 >> 32) ^ c[3] ^ (std::uint64_t)k1;
    c[1] = p1 & 0xffffffffull;
    c[3] = p0 & 0xffffffffull;
    c[0] = n0;
    c[2] = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

}  // namespace sde::random
