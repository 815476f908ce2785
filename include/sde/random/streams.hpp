// Streams of random numbers. A draw is a pure function of (seed, path, worker, purpose, index), where index runs over
// step * draws_per_step + component: nothing depends on threads, chunks, SIMD width, or on where a run was resumed.
//
// Counter layout: word 0 = low 32 bits of the block number, word 1 = its high bits (16) and the purpose (16),
// word 2 = worker, word 3 = path; key = seed. One block holds 4 words: 4 normals, 128 two-point signs, or 4 indices.
#pragma once

#include "sde/core/buffer.hpp"
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
  start = 7,
  probe = 8
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
/// The words of W lanes, as wide as the machine draws them at once.
template <int W>
using WideWords = typename WideWordsOf<W>::type;

#if defined(__CUDACC__)
/// cuRAND's function makes the keys of the rounds itself: nothing to keep.
struct Keys {
  std::uint64_t seed;
  SDE_DEVICE explicit Keys(std::uint64_t key) : seed(key) {}
  SDE_DEVICE operator KeySchedule() const { return KeySchedule(seed); }
};
#else
/// The key of each lane.
using Keys = KeySchedule;
#endif

/// Four words for each of W paths from one Philox block.
template <int W>
SDE_INLINE void fill_words(const StreamKey& key, const Keys& keys, Purpose purpose, std::uint64_t block,
                           WideWords<W> (&words)[4]) {
#if defined(__CUDA_ARCH__)
  const uint4 counter{static_cast<unsigned>(block),
                      static_cast<unsigned>((block >> 32) & 0xffffull) | (static_cast<unsigned>(purpose) << 16),
                      key.worker, key.path};
  const uint4 r =
      curand_Philox4x32_10(counter, uint2{static_cast<unsigned>(key.seed), static_cast<unsigned>(key.seed >> 32)});
  words[0] = r.x;
  words[1] = r.y;
  words[2] = r.z;
  words[3] = r.w;
#else
  WideWords<W> paths;
  if constexpr (W == 1)
    paths = key.path;
  else
    paths = WideWords<W>::counting(key.path);
  philox_lanes(block & 0xffffffffull, ((block >> 32) & 0xffffull) | (static_cast<std::uint64_t>(purpose) << 16),
               static_cast<std::uint64_t>(key.worker), paths, keys, words);
#endif
}

/// values[place]. A GPU's registers have no addresses, so there the place is not used as one.
template <class V>
SDE_INLINE const V element(const V (&values)[4], int place) {
#if defined(__CUDA_ARCH__)
  const V low = place & 1 ? values[1] : values[0], high = place & 1 ? values[3] : values[2];
  return place & 2 ? high : low;
#else
  return values[place];
#endif
}

/// The same in unsigned lanes as wide as T's.
template <class T>
struct WordBlock {
  typename BitsOf<T>::U w[4];

  SDE_INLINE void fill(const StreamKey& key, const Keys& keys, Purpose purpose, std::uint64_t block) {
    WideWords<lanes_of<T>> words[4];
    fill_words<lanes_of<T>>(key, keys, purpose, block, words);
    for (int i = 0; i < 4; ++i)
      if constexpr (lanes_of<T> == 1)
        w[i] = static_cast<typename BitsOf<scalar_of<T>>::U>(words[i]);
      else if constexpr (sizeof(scalar_of<T>) == 8)
        w[i] = words[i];
      else
        w[i] = convert<std::uint32_t>(words[i]);
  }
};

/// Where a stream of kPerBlock draws from each Philox block stands.
template <int kPerBlock>
class StreamPosition {
 public:
  SDE_DEVICE StreamPosition(const StreamKey& key, Purpose purpose, std::uint64_t index)
      : keys_(key.seed), key_(key), purpose_(purpose) {
    restart(key, index);
  }
  /// The next draw is number `index` of `key`'s stream, for the same purpose.
  SDE_DEVICE void restart(const StreamKey& key, std::uint64_t index) {
    if (key.seed != key_.seed) keys_ = Keys(key.seed);
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

  Keys keys_;
  StreamKey key_;
  Purpose purpose_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
};

/// Four standard normals from one Philox block, by Box-Muller on pairs of 32-bit words (so |x| < 6.8, variance exact to
/// 1e-9). Doubles and floats come from the same words: a float is the double to its own rounding, but for radii near 0
/// (2^-12 absolute there).
template <class T>
SDE_DEVICE void normal_block(const StreamKey& key, const Keys& keys, Purpose purpose, std::uint64_t block,
                             T (&values)[4]) {
  if constexpr (lanes_of < T >> 16) {  // in one piece its words alone would fill the registers
    using Half = Pack<scalar_of<T>, lanes_of<T> / 2>;
    Half low[4], high[4];
    StreamKey upper = key;
    upper.path += lanes_of<Half>;
    normal_block(key, keys, purpose, block, low);
    normal_block(upper, keys, purpose, block, high);
    for (int i = 0; i < 4; ++i) values[i] = T(low[i], high[i]);
  } else {
    WordBlock<T> words;
    words.fill(key, keys, purpose, block);
    for (int pair = 0; pair < 2; ++pair) {
      const T u = (BitsOf<T>::from_word(words.w[2 * pair]) + T(0.5)) * T(0x1p-32);
      const T radius = sqrt(T(-2.0) * sde::detail::log_kernel(u));
      T s, c;
      sde::detail::sincos_word<T>(words.w[2 * pair + 1], s, c);
      values[2 * pair] = radius * c;
      values[2 * pair + 1] = radius * s;
    }
  }
}

/// Standard normals, four from a block.
template <class T>
class NormalStream : StreamPosition<4> {
 public:
  using StreamPosition::restart;
  using StreamPosition::StreamPosition;
  SDE_DEVICE T next() {
    const int place = take([this] { normal_block<T>(key_, keys_, purpose_, block_, values_); });
    return element(values_, place);
  }

 private:
  T values_[4];
};

/// Four normals of each lane.
template <class T>
struct FourNormals {
  T values[4];
};
/// normal_block() by a call: a team's kernel draws in many places, and would be several times as large with a copy in
/// each.
template <class T>
SDE_APART FourNormals<T> four_normals(StreamKey key, Keys keys, Purpose purpose, std::uint64_t block) {
  FourNormals<T> four;
  normal_block<T>(key, keys, purpose, block, four.values);
  return four;
}

/// The same numbers for a team that shares a path: its members make as many blocks at once as they are.
template <class T, class Team = Solo>
class TeamNormals {
 public:
  SDE_DEVICE TeamNormals(const StreamKey& key, Purpose purpose, std::uint64_t index, const Team& team)
      : team_(team), keys_(key.seed), purpose_(purpose), values_(4 * team.size(), team) {
    restart(key, index);
  }
  SDE_DEVICE void restart(const StreamKey& key, std::uint64_t index) {
    if (key.seed != key_.seed) keys_ = Keys(key.seed);
    key_ = key;
    block_ = index / 4;
    position_ = static_cast<int>(index % 4);
    fresh_ = false;
  }
  SDE_DEVICE T next() {
    if (!fresh_) refill();
    const T value = values_[position_];
    if (++position_ == 4 * team_.size()) {
      position_ = 0;
      block_ += static_cast<std::uint64_t>(team_.size());
      fresh_ = false;
    }
    return value;
  }

 private:
  SDE_DEVICE void refill() {
    team_.each(team_.size(), [&](int b) {
      const auto four = four_normals<T>(key_, keys_, purpose_, block_ + static_cast<std::uint64_t>(b));
      for (int i = 0; i < 4; ++i) values_[4 * b + i] = four.values[i];
    });
    fresh_ = true;
  }
  const Team team_;
  Keys keys_;
  StreamKey key_{};
  Purpose purpose_;
  Buffer<T, kDynamic, Team> values_;
  std::uint64_t block_ = 0;
  int position_ = 0;
  bool fresh_ = false;
};
/// For one thread they are NormalStream.
template <class T, class Team>
requires kAlone<Team>
class TeamNormals<T, Team> : public NormalStream<T> {
 public:
  SDE_DEVICE TeamNormals(const StreamKey& key, Purpose purpose, std::uint64_t index, const Team& = {})
      : NormalStream<T>(key, purpose, index) {}
};

/// Signs +1 or -1 with probability 1/2, one random bit each.
template <class T>
class SignStream : StreamPosition<128> {
 public:
  using StreamPosition::restart;
  using StreamPosition::StreamPosition;
  SDE_DEVICE T next() {
    const int bit = take([this] { words_.fill(key_, keys_, purpose_, block_); });
    using U = typename BitsOf<T>::U;
    constexpr int sign_bit = 8 * sizeof(scalar_of<T>) - 1;
    const U shifted = element(words_.w, bit >> 5) >> (bit & 31);
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
  SDE_DEVICE WideWords<W> next(std::uint32_t n) {
    const int place = take([this] { fill_words<W>(key_, keys_, purpose_, block_, words_); });
    return detail::multiply_low(element(words_, place), n) >> 32;
  }

 private:
  WideWords<W> words_[4];
};

/// Lane access to unsigned words.
SDE_DEVICE inline std::uint64_t word_lane(std::uint64_t w, int) { return w; }
/// Word of lane l.
template <class U>
SDE_DEVICE std::uint64_t word_lane(const U& w, int l) {
  return w[l];
}

}  // namespace sde::random
