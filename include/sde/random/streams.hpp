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

/// Four words for each lane from one Philox block.
template <class T>
struct WordBlock {
  typename BitsOf<T>::U w[4];

  void fill(const StreamKey& key, Purpose purpose, std::uint64_t block) {
    using U = typename BitsOf<T>::U;
    U paths{};
    if constexpr (lanes_of<T> == 1)
      paths = key.path;
    else
      for (int l = 0; l < lanes_of<T>; ++l) paths[l] = static_cast<std::uint32_t>(key.path + l);
    w[0] = U{} + (block & 0xffffffffull);
    w[1] = U{} + (((block >> 32) & 0xffffull) | (static_cast<std::uint64_t>(purpose) << 16));
    w[2] = U{} + (std::uint64_t)key.worker;
    w[3] = paths;
    philox_lanes(w, key.seed);
  }
};

/// Standard normals, by Box-Muller on pairs of 32-bit words (so |x| < 6.8, variance exact to 1e-9).
template <class T>
class NormalStream {
 public:
  NormalStream(const StreamKey& key, Purpose purpose, std::uint64_t index) : key_(key), purpose_(purpose) {
    seek(index);
  }
  void seek(std::uint64_t index) {
    block_ = index / 4;
    position_ = static_cast<int>(index % 4);
    fresh_ = false;
  }
  T next() {
    if (!fresh_) refill();
    const T value = values_[position_];
    if (++position_ == 4) {
      position_ = 0;
      ++block_;
      fresh_ = false;
    }
    return value;
  }

 private:
  void refill() {
    WordBlock<T> words;
    words.fill(key_, purpose_, block_);
    for (int pair = 0; pair < 2; ++pair) {
      const T u = (BitsOf<T>::from_int((typename BitsOf<T>::I)words.w[2 * pair]) + T(0.5)) * T(0x1p-32);
      const T radius = sqrt(T(-2.0) * sde::detail::log_kernel(u));
      T s, c;
      sde::detail::sincos_word<T>(words.w[2 * pair + 1], s, c);
      values_[2 * pair] = radius * c;
      values_[2 * pair + 1] = radius * s;
    }
    fresh_ = true;
  }

  StreamKey key_;
  Purpose purpose_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
  T values_[4];
};

/// Signs +1 or -1 with probability 1/2, one random bit each.
template <class T>
class SignStream {
 public:
  SignStream(const StreamKey& key, Purpose purpose, std::uint64_t index) : key_(key), purpose_(purpose) {
    block_ = index / 128;
    position_ = static_cast<int>(index % 128);
  }
  T next() {
    if (!fresh_) {
      words_.fill(key_, purpose_, block_);
      fresh_ = true;
    }
    const auto bit = (words_.w[position_ >> 5] >> (position_ & 31)) & 1ull;
    if (++position_ == 128) {
      position_ = 0;
      ++block_;
      fresh_ = false;
    }
    return BitsOf<T>::real((bit << 63) | BitsOf<T>::bits(T(1.0)));
  }

 private:
  StreamKey key_;
  Purpose purpose_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
  WordBlock<T> words_;
};

/// Indices uniform on {0, ..., n-1} (multiply-shift of a 32-bit word; bias below n / 2^32).
template <class T>
class IndexStream {
 public:
  IndexStream(const StreamKey& key, Purpose purpose, std::uint64_t index) : key_(key), purpose_(purpose) {
    block_ = index / 4;
    position_ = static_cast<int>(index % 4);
  }
  typename BitsOf<T>::U next(std::uint32_t n) {
    if (!fresh_) {
      words_.fill(key_, purpose_, block_);
      fresh_ = true;
    }
    const auto value = (words_.w[position_] * (std::uint64_t)n) >> 32;
    if (++position_ == 4) {
      position_ = 0;
      ++block_;
      fresh_ = false;
    }
    return value;
  }

 private:
  StreamKey key_;
  Purpose purpose_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
  WordBlock<T> words_;
};

/// Lane access to unsigned words.
inline std::uint64_t word_lane(std::uint64_t w, int) { return w; }
template <class U>
std::uint64_t word_lane(const U& w, int l) {
  return w[l];
}

}  // namespace sde::random
