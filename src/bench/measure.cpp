#include <algorithm>
#include <chrono>
#include <thread>

#include "work.hpp"

namespace sde::bench {

namespace {

/// Units done by all threads, and the seconds they took.
struct Timed {
  double units, seconds;
};
Timed timed(const Work& work, int threads, double units) {
  std::vector<double> done(static_cast<std::size_t>(threads));
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t)
    others.emplace_back([&, t] { done[static_cast<std::size_t>(t)] = work.run(t, units); });
  done[0] = work.run(0, units);
  for (auto& t : others) t.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double sum = 0;
  for (const double d : done) sum += d;
  return {sum, seconds};
}

}  // namespace

Rate measure(const Work& work, int threads, double seconds, int repetitions) {
  double units = 1;
  Timed last = timed(work, threads, units);
  while (last.seconds < 0.3 * seconds) {
    units *= std::clamp(seconds / std::max(last.seconds, 1e-6), 2.0, 100.0);
    last = timed(work, threads, units);
  }
  units *= seconds / last.seconds;
  std::vector<double> rates;
  for (int i = 0; i < repetitions; ++i) {
    const auto t = timed(work, threads, units);
    rates.push_back(t.units / t.seconds);
  }
  std::sort(rates.begin(), rates.end());
  return {rates[rates.size() / 2], rates.front(), rates.back()};
}

}  // namespace sde::bench
