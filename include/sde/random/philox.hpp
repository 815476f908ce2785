// Philox4x32-10 (Salmon et al., SC 2011): bits = f(counter, key). Random123 gives the scalar function; the lane
// version runs the same rounds on W counters at once and is held to Random123's words by a test; a GPU's words are
// cuRAND's.
#pragma once

#if defined(__CUDACC__)
#  include <curand_philox4x32_x.h>
#else
#  include <Random123/philox.h>
#endif

#include <array>
#include <cstdint>

#include "sde/core/math.hpp"

namespace sde::random {

/// The four words of a block.
using Words = std::array<std::uint32_t, 4>;

#if !defined(__CUDACC__)
/// The four words of Philox4x32-10 for a 128-bit counter and a 64-bit key.
inline Words philox(Words counter, std::uint64_t key) {
  r123::Philox4x32 generator;
  const r123::Philox4x32::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type k = {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
  const auto r = generator(c, k);
  return {r[0], r[1], r[2], r[3]};
}
#endif

namespace detail {

/// Product of the low 32 bits of a word with a constant, 64 bits wide; what stands above the low bits does not count.
SDE_DEVICE inline std::uint64_t multiply_low(std::uint64_t a, std::uint32_t b) { return (a & 0xffffffffull) * b; }
#if !defined(__CUDACC__)
template <int W>
SDE_INLINE Pack<std::uint64_t, W> multiply_low(Pack<std::uint64_t, W> a, std::uint32_t b) {
  using P = Pack<std::uint64_t, W>;
  if constexpr (!P::kWhole) {
    return P(multiply_low(a.lo, b), multiply_low(a.hi, b));
  } else {
    // The compiler does not see that only the low halves count, so the 32 x 32 -> 64 instruction is named.
#  if SDE_REGISTER_BYTES == 64
    if constexpr (W == 8)
      return P((typename P::Vector)_mm512_maskz_mul_epu32(0xff, (__m512i)a.v, _mm512_set1_epi64(b)));
#  endif
#  if SDE_REGISTER_BYTES >= 32
    if constexpr (W == 4) return P((typename P::Vector)_mm256_mul_epu32((__m256i)a.v, _mm256_set1_epi64x(b)));
#  endif
#  if defined(__SSE2__)
    if constexpr (W == 2) return P((typename P::Vector)_mm_mul_epu32((__m128i)a.v, _mm_set1_epi64x(b)));
#  endif
    return (a & P(0xffffffffull)) * P(static_cast<std::uint64_t>(b));
  }
}
#endif

inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u, kWeyl0 = 0x9E3779B9u,
                               kWeyl1 = 0xBB67AE85u;

}  // namespace detail

/// The keys of the ten rounds.
struct KeySchedule {
  std::uint64_t k0[10], k1[10];  ///< 32-bit values
  SDE_DEVICE explicit KeySchedule(std::uint64_t key) {
    for (std::uint32_t round = 0; round < 10; ++round) {
      k0[round] = static_cast<std::uint32_t>(key) + detail::kWeyl0 * round;
      k1[round] = static_cast<std::uint32_t>(key >> 32) + detail::kWeyl1 * round;
    }
  }
};

/// Philox on lanes: words are 32-bit values in 64-bit lanes; the keys are the same in all lanes. All lanes share words
/// 0 to 2 of the counter and differ in word 3, so that the first three rounds are partly the same for all: those parts
/// are scalar. c[4] receives the four words.
template <class U>
SDE_INLINE void philox_lanes(std::uint64_t c0, std::uint64_t c1, std::uint64_t c2, U c3, const KeySchedule& keys,
                             U (&c)[4]) {
  using namespace detail;
  const auto& [k0, k1] = keys;
  // Round: (c0, c1, c2, c3) <- (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)). Halves above 32 bits
  // are left standing: products ignore them and the last line clears them.
  std::uint64_t p0 = multiply_low(c0, kMultiplier0), p1 = multiply_low(c2, kMultiplier1);
  const std::uint64_t a0 = (p1 >> 32) ^ c1 ^ k0[0], a1 = p1, a3 = p0;
  const U a2 = c3 ^ U((p0 >> 32) ^ k1[0]);
  p0 = multiply_low(a0, kMultiplier0);
  const U q1 = multiply_low(a2, kMultiplier1);
  const U b0 = (q1 >> 32) ^ U((a1 & 0xffffffffull) ^ k0[1]);
  const std::uint64_t b2 = (p0 >> 32) ^ (a3 & 0xffffffffull) ^ k1[1], b3 = p0;
  p1 = multiply_low(b2, kMultiplier1);
  const U q0 = multiply_low(b0, kMultiplier0);
  c[0] = q1 ^ U((p1 >> 32) ^ k0[2]);
  c[1] = U(p1);
  c[2] = (q0 >> 32) ^ U((b3 & 0xffffffffull) ^ k1[2]);
  c[3] = q0;
  for (int round = 3; round < 10; ++round) {
    const U r0 = multiply_low(c[0], kMultiplier0);
    const U r1 = multiply_low(c[2], kMultiplier1);
    c[0] = (r1 >> 32) ^ c[1] ^ U(k0[round]);
    c[2] = (r0 >> 32) ^ c[3] ^ U(k1[round]);
    c[1] = r1;
    c[3] = r0;
  }
  for (auto& word : c) word = word & U(0xffffffffull);
}

}  // namespace sde::random
