#include <cmath>

#include "../modules/work.hpp"
#include "sde/random/streams.hpp"

namespace sde::bench {

namespace {

using Single = Pack<float, kKernelLanes<float>>;

random::StreamKey key_of(int thread) { return {1, static_cast<std::uint32_t>(thread * kLanes), 0}; }

template <template <class> class Stream, class T>
double draw(int thread, double units) {
  Stream<T> stream(key_of(thread), random::Purpose::slow, 0);
  T sum(0.0);
  const auto draws = static_cast<std::uint64_t>(std::ceil(units / lanes_of<T>));
  for (std::uint64_t i = 0; i < draws; ++i) sum += stream.next();
  const T end = sum;
  keep(end);
  return static_cast<double>(draws * lanes_of<T>);
}

double words(int thread, double units) {
  constexpr int W = kKernelLanes<double>;
  const random::KeySchedule keys(1);
  random::WideWords<W> words[4], sum(std::uint64_t(0));
  const auto blocks = static_cast<std::uint64_t>(std::ceil(units / (4 * W)));
  for (std::uint64_t b = 0; b < blocks; ++b) {
    random::fill_words<W>(key_of(thread), keys, random::Purpose::slow, b, words);
    for (const auto& w : words) sum ^= w;
  }
  const auto end = sum;
  keep(end);
  return static_cast<double>(blocks * 4 * W);
}

/// Chains of x <- x a + b that hide each other's latency; fused to one instruction where the machine has it and
/// `kFused` says so (the kernels never fuse, so that every machine gives the same bits).
template <class S, bool kFused>
double multiply_add(int, double units) {
  constexpr int W = SDE_REGISTER_BYTES / static_cast<int>(sizeof(S)), kChains = 12;
  using T = Pack<S, W>;
  typename T::Vector x[kChains];
  for (int c = 0; c < kChains; ++c) x[c] = T(S(1 + c)).v;
  const auto a = T(S(0.999999)).v, b = T(S(1e-6)).v;
  const auto rounds = static_cast<std::uint64_t>(std::ceil(units / (2 * kChains * W)));
  for (std::uint64_t i = 0; i < rounds; ++i)
    for (auto& v : x) {
#if defined(__FMA__)
      if constexpr (kFused) {
        for (int l = 0; l < W; ++l) v[l] = std::fma(v[l], a[l], b[l]);
        continue;
      }
#endif
      v = v * a + b;
    }
  keep(x);
  return static_cast<double>(rounds * 2 * kChains * W);
}

}  // namespace

std::vector<Work> floors() {
  using P = Precision;
  return {
      {.name = "Philox4x32-10 words", .unit = "words", .run = words},
      {.name = "standard normals", .unit = "normals", .run = draw<random::NormalStream, Real>},
      {.name = "standard normals, float",
       .unit = "normals",
       .precision = P::single,
       .run = draw<random::NormalStream, Single>},
      {.name = "two-point increments", .unit = "signs", .run = draw<random::SignStream, Real>},
      {.name = "two-point increments, float",
       .unit = "signs",
       .precision = P::single,
       .run = draw<random::SignStream, Single>},
      {.name = "fused multiply-adds", .unit = "flops", .run = multiply_add<double, true>},
      {.name = "fused multiply-adds, float", .unit = "flops", .precision = P::single, .run = multiply_add<float, true>},
      {.name = "multiplications and additions", .unit = "unfused flops", .run = multiply_add<double, false>}};
}

}  // namespace sde::bench
