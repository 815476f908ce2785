// Streams of random numbers. A draw is a pure function of (seed, path, worker, purpose, index), where index runs over
// step * draws_per_step + component: nothing depends on threads, chunks, SIMD width, or on where a run was resumed.
//
// Counter layout: word 0 = low 32 bits of the block number, word 1 = its high bits (16) and the purpose (16),
// word 2 = worker, word 3 = path; key = seed. One block holds 4 words: 4 normals, 128 two-point signs, or 4 indices.
#pragma once

#include "sde/random/philox.hpp"

namespace sde::random {

/// What a stream is for: streams with different purposes are independent.
enum class Purpose : std::uint32_t {
  label = 1,
  sample = 2,
  noise = 3,
  state_noise = 4,
  slow = 5,
  shuffle = 6,
  start = 7
};

/// Identity of a group of paths: `path` is the number of the first lane, lane l is path + l.
struct StreamKey {
  std::uint64_t seed;
  std::uint32_t path;
  std::uint32_t worker;
};

/// 32-bit words of W paths in 64-bit lanes, as Philox computes them.
template <int W>
struct WideWordsOf {
  using type = Pack<std::uint64_t, W>;
};
template <>
struct WideWordsOf<1> {
  using type = std::uint64_t;
};
template <int W>
using WideWords = typename WideWordsOf<W>::type;

/// Four words for each of W paths from one Philox block.
template <int W>
SDE_INLINE void fill_words(const StreamKey& key, const KeySchedule& keys, Purpose purpose, std::uint64_t block,
                           WideWords<W> (&words)[4]) {
  WideWords<W> paths;
  if constexpr (W == 1)
    paths = key.path;
  else
    paths = WideWords<W>::counting(key.path);
  philox_lanes(block & 0xffffffffull, ((block >> 32) & 0xffffull) | (static_cast<std::uint64_t>(purpose) << 16),
               static_cast<std::uint64_t>(key.worker), paths, keys, words);
}

/// The same in unsigned lanes as wide as T's.
template <class T>
struct WordBlock {
  typename BitsOf<T>::U w[4];

  SDE_INLINE void fill(const StreamKey& key, const KeySchedule& keys, Purpose purpose, std::uint64_t block) {
    WideWords<lanes_of<T>> words[4];
    fill_words<lanes_of<T>>(key, keys, purpose, block, words);
    for (int i = 0; i < 4; ++i)
      if constexpr (sizeof(scalar_of<T>) == 8)
        w[i] = words[i];
      else if constexpr (lanes_of<T> == 1)
        w[i] = static_cast<std::uint32_t>(words[i]);
      else
        w[i] = convert<std::uint32_t>(words[i]);
  }
};

/// Where a stream of kPerBlock draws from each Philox block stands.
template <int kPerBlock>
class StreamPosition {
 public:
  StreamPosition(const StreamKey& key, Purpose purpose, std::uint64_t index)
      : keys_(key.seed), key_(key), purpose_(purpose) {
    restart(key, index);
  }
  /// The next draw is number `index` of `key`'s stream, for the same purpose.
  void restart(const StreamKey& key, std::uint64_t index) {
    if (key.seed != key_.seed) keys_ = KeySchedule(key.seed);
    key_ = key;
    block_ = index / kPerBlock;
    position_ = static_cast<int>(index % kPerBlock);
    fresh_ = false;
  }

 protected:
  /// Calls refill() where the block in hand is not yet generated; returns the place of the draw in it.
  template <class Refill>
  SDE_INLINE int take(Refill refill) {
    if (!fresh_) {
      refill();
      fresh_ = true;
    }
    const int place = position_;
    if (++position_ == kPerBlock) {
      position_ = 0;
      ++block_;
      fresh_ = false;
    }
    return place;
  }

  KeySchedule keys_;
  StreamKey key_;
  Purpose purpose_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
};

/// Standard normals, by Box-Muller on pairs of 32-bit words (so |x| < 6.8, variance exact to 1e-9). Doubles and floats
/// come from the same words: a float is the double to its own rounding, but for radii near 0 (2^-12 absolute there).
template <class T>
class NormalStream : StreamPosition<4> {
 public:
  using StreamPosition::restart;
  using StreamPosition::StreamPosition;
  T next() {
    return values_[take([this] { refill(); })];
  }

 private:
  void refill() {
    WordBlock<T> words;
    words.fill(key_, keys_, purpose_, block_);
    for (int pair = 0; pair < 2; ++pair) {
      const T u = (BitsOf<T>::from_word(words.w[2 * pair]) + T(0.5)) * T(0x1p-32);
      const T radius = sqrt(T(-2.0) * sde::detail::log_kernel(u));
      T s, c;
      sde::detail::sincos_word<T>(words.w[2 * pair + 1], s, c);
      values_[2 * pair] = radius * c;
      values_[2 * pair + 1] = radius * s;
    }
  }
  T values_[4];
};

/// Signs +1 or -1 with probability 1/2, one random bit each.
template <class T>
class SignStream : StreamPosition<128> {
 public:
  using StreamPosition::restart;
  using StreamPosition::StreamPosition;
  T next() {
    const int bit = take([this] { words_.fill(key_, keys_, purpose_, block_); });
    using U = typename BitsOf<T>::U;
    constexpr int sign_bit = 8 * sizeof(scalar_of<T>) - 1;
    const U shifted = words_.w[bit >> 5] >> (bit & 31);
    return BitsOf<T>::real((shifted << sign_bit) | BitsOf<T>::bits(T(1.0)));
  }

 private:
  WordBlock<T> words_;
};

/// Indices uniform on {0, ..., n-1} (multiply-shift of a 32-bit word; bias below n / 2^32).
template <class T>
class IndexStream : StreamPosition<4> {
  static constexpr int W = lanes_of<T>;

 public:
  using StreamPosition::restart;
  using StreamPosition::StreamPosition;
  WideWords<W> next(std::uint32_t n) {
    const int place = take([this] { fill_words<W>(key_, keys_, purpose_, block_, words_); });
    return detail::multiply_low(words_[place], n) >> 32;
  }

 private:
  WideWords<W> words_[4];
};

/// Lane access to unsigned words.
inline std::uint64_t word_lane(std::uint64_t w, int) { return w; }
template <class U>
std::uint64_t word_lane(const U& w, int l) {
  return w[l];
}

}  // namespace sde::random
