#include <cmath>

#include "sde/random/streams.hpp"
#include "work.hpp"

namespace sde::bench {

namespace {

random::StreamKey key_of(int thread) { return {1, static_cast<std::uint32_t>(thread * kLanes), 0}; }

template <class Stream>
double draw(int thread, double units) {
  Stream stream(key_of(thread), random::Purpose::slow, 0);
  Real8 sum(0.0);
  const auto draws = static_cast<std::uint64_t>(std::ceil(units / kLanes));
  for (std::uint64_t i = 0; i < draws; ++i) sum += stream.next();
  keep(sum);
  return static_cast<double>(draws * kLanes);
}

}  // namespace

std::vector<Work> floors() {
  std::vector<Work> all;
  all.push_back({"Philox4x32-10 words", "words", 0, 0, [](int thread, double units) {
                   random::WordBlock<Real8> words;
                   typename BitsOf<Real8>::U sum{};
                   const auto blocks = static_cast<std::uint64_t>(std::ceil(units / (4 * kLanes)));
                   for (std::uint64_t b = 0; b < blocks; ++b) {
                     words.fill(key_of(thread), random::Purpose::slow, b);
                     for (const auto& w : words.w) sum ^= w;
                   }
                   keep(sum);
                   return static_cast<double>(blocks * 4 * kLanes);
                 }});
  all.push_back({"standard normals", "normals", 1, 0, draw<random::NormalStream<Real8>>});
  all.push_back({"two-point increments", "signs", 0, 1, draw<random::SignStream<Real8>>});
  // Eight independent chains hide the latency; a multiplication and an addition each, as the kernels do them (they do
  // not contract them to one instruction, so that every machine gives the same bits).
  all.push_back({"double multiply + add", "flops", 0, 0, [](int, double units) {
                   constexpr int kChains = 8;
                   Real8 x[kChains];
                   for (int c = 0; c < kChains; ++c) x[c] = Real8(1.0 + c);
                   const auto rounds = static_cast<std::uint64_t>(std::ceil(units / (2 * kChains * kLanes)));
                   for (std::uint64_t i = 0; i < rounds; ++i)
                     for (auto& v : x) v = v * Real8(0.999999) + Real8(1e-6);
                   keep(x);
                   return static_cast<double>(rounds * 2 * kChains * kLanes);
                 }});
  return all;
}

}  // namespace sde::bench
