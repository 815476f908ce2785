// What bounds a kernel on a device: its random numbers and its arithmetic alone; and the linear SDE.
#pragma once

#include <array>
#include <vector>

#include "../src/modules/linear_sde.hpp"
#include "../src/modules/work.hpp"
#include "sde/random/streams.hpp"

namespace sde::gpu {

/// What `sde bench` measures on device `ordinal`. Throws DeviceUnusable.
std::vector<bench::Work> floors(int ordinal);
std::vector<bench::Work> linear_works(int ordinal);

/// A block of random words as device `ordinal` makes them. Throws DeviceUnusable.
std::array<std::uint32_t, 4> words(int ordinal, const random::StreamKey&, random::Purpose, std::uint64_t block);

/// The numbers of a thread: path i of the streams. What is drawn must be used: `sink` is written where it never is.
template <template <class> class Stream, class S>
struct Draw {
  long draws;
  double* sink;
  SDE_DEVICE void operator()(long i) const {
    using T = Pack<S, 1>;
    Stream<T> stream({1, static_cast<std::uint32_t>(i), 0}, random::Purpose::slow, 0);
    T sum(0.0);
    for (long k = 0; k < draws; ++k) sum += stream.next();
    if (lane(sum, 0) > S(1e30)) *sink = lane(sum, 0);
  }
};

struct DrawWords {
  long blocks;
  double* sink;
  SDE_DEVICE void operator()(long i) const {
    const random::StreamKey key{1, static_cast<std::uint32_t>(i), 0};
    const random::Keys keys(key.seed);
    std::uint64_t words[4], sum = 0;
    for (long b = 0; b < blocks; ++b) {
      random::fill_words<1>(key, keys, random::Purpose::slow, static_cast<std::uint64_t>(b), words);
      for (const auto w : words) sum ^= w;
    }
    if (sum == 1) *sink = 1;
  }
};

/// One block, for its own sake.
struct OneBlock {
  random::StreamKey key;
  random::Purpose purpose;
  std::uint64_t block;
  std::uint64_t* to;
  SDE_DEVICE void operator()(long) const {
    std::uint64_t words[4];
    random::fill_words<1>(key, random::Keys(key.seed), purpose, block, words);
    for (int i = 0; i < 4; ++i) to[i] = words[i];
  }
};

/// Chains of multiplications and additions, two operations each, fused to one instruction or, as in the kernels, not.
template <class S, bool kFused>
struct MultiplyAdd {
  static constexpr int kChains = 8;
  long rounds;
  double* sink;
  SDE_DEVICE void operator()(long i) const {
    S x[kChains];
    for (int c = 0; c < kChains; ++c) x[c] = S(i + c);
    const S a = S(0.999999), b = S(1e-6);
    for (long k = 0; k < rounds; ++k)
      for (auto& v : x) {
        if constexpr (kFused)
          v = std::fma(v, a, b);
        else
          v = v * a + b;
      }
    S sum = S(0);
    for (const auto v : x) sum += v;
    if (sum > S(1e30)) *sink = sum;
  }
};

/// Path i of the linear SDE; ends[i] is that of its first component.
template <template <class> class Stream, class S>
struct LinearSde {
  std::uint32_t first;
  S* ends;
  SDE_DEVICE void operator()(long i) const {
    using T = Pack<S, 1>;
    Stream<T> draws({1, first + static_cast<std::uint32_t>(i), 0}, random::Purpose::slow, 0);
    T x[bench::kLinearComponents];
    bench::linear_sde(draws, x);
    ends[i] = lane(x[0], 0) + S(0.0) * (lane(x[1], 0) + lane(x[2], 0));  // every component, so that none is left out
  }
};

}  // namespace sde::gpu
