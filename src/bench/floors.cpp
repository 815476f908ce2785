#include <cmath>

#include "sde/random/streams.hpp"
#include "work.hpp"

namespace sde::bench {

namespace {

random::StreamKey key_of(int thread) { return {1, static_cast<std::uint32_t>(thread * kLanes), 0}; }

template <template <class> class Stream, class T>
double draw(int thread, double units) {
  Stream<T> stream(key_of(thread), random::Purpose::slow, 0);
  T sum(0.0);
  const auto draws = static_cast<std::uint64_t>(std::ceil(units / lanes_of<T>));
  for (std::uint64_t i = 0; i < draws; ++i) sum += stream.next();
  keep(sum);
  return static_cast<double>(draws * lanes_of<T>);
}

}  // namespace

std::vector<Work> floors() {
  std::vector<Work> all;
  all.push_back({"Philox4x32-10 words", "words", 0, 0, [](int thread, double units) {
                   constexpr int W = kKernelLanes;
                   const random::KeySchedule keys(1);
                   random::WideWords<W> words[4], sum(std::uint64_t(0));
                   const auto blocks = static_cast<std::uint64_t>(std::ceil(units / (4 * W)));
                   for (std::uint64_t b = 0; b < blocks; ++b) {
                     random::fill_words<W>(key_of(thread), keys, random::Purpose::slow, b, words);
                     for (const auto& w : words) sum ^= w;
                   }
                   keep(sum);
                   return static_cast<double>(blocks * 4 * W);
                 }});
  all.push_back({"standard normals", "normals", 1, 0, draw<random::NormalStream, Real>});
  all.push_back({"two-point increments", "signs", 0, 1, draw<random::SignStream, Real>});
  // Eight independent chains hide the latency; a multiplication and an addition each, as the kernels do them (they do
  // not contract them to one instruction, so that every machine gives the same bits).
  all.push_back({"double multiply + add", "flops", 0, 0, [](int, double units) {
                   constexpr int kChains = 8;
                   Real x[kChains];
                   for (int c = 0; c < kChains; ++c) x[c] = Real(1.0 + c);
                   const auto rounds = static_cast<std::uint64_t>(std::ceil(units / (2 * kChains * lanes_of<Real>)));
                   for (std::uint64_t i = 0; i < rounds; ++i)
                     for (auto& v : x) v = v * Real(0.999999) + Real(1e-6);
                   keep(x);
                   return static_cast<double>(rounds * 2 * kChains * lanes_of<Real>);
                 }});
  return all;
}

}  // namespace sde::bench
