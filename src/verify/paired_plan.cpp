#include "paired_plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sde::verify {

PairedPlan::PairedPlan(const Pairing& p) {
  const auto& a = setup.algorithm = p.algorithm;
  if (a.increments.conventional)
    throw std::invalid_argument("common noise: expected a discrete algorithm, not a conventional SDE");
  for (const auto& prediction : p.predictions)
    setup.predictions.push_back({prediction.parameters, prediction.time_scale});
  for (const auto& g : p.functions) setup.functions.push_back(g.flat());
  const double eta2 = a.slow_time(a.rate.eta);
  const std::int64_t H = a.steps_in_round();
  const double round = static_cast<double>(H) * eta2;
  setup.steps = H * std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(p.dt / round + 1e-9)));
  setup.dt = static_cast<double>(setup.steps) * eta2;
  for (const double t : p.times)
    pairs.push_back(std::max<std::int64_t>(pairs.empty() ? 1 : pairs.back() + 1, std::llround(t / (2 * setup.dt))));
  burn_in = H * std::llround(p.burn_in / round);
}

void run_tile(PairedTile& tile, const Problem& problem, std::uint32_t first, long count, const PairedPlan& plan,
              const std::atomic<bool>* interrupted, PairedSnapshots& seen) {
  // Steps of each worker between two looks at the interruption flag.
  constexpr std::int64_t kChunk = 1 << 15;
  const std::int64_t steps = plan.setup.steps, chunk = std::max<std::int64_t>(1, kChunk / (2 * steps));
  tile.start(first, count, problem.start.data(), plan.burn_in);
  seen.burned_in = plan.burn_in > 0;
  if (seen.burned_in) tile.project();
  tile.begin(seen.burned_in ? nullptr : problem.start_on_gamma.data());
  if (seen.burned_in) tile.read(seen.begin);
  seen.at.resize(plan.pairs.size());
  std::int64_t done = 0;
  for (std::size_t t = 0; t < plan.pairs.size(); ++t) {
    while (done < plan.pairs[t]) {
      if (interrupted && *interrupted) throw ensemble::Interrupted();
      const std::int64_t next = std::min(chunk, plan.pairs[t] - done);
      tile.advance(plan.burn_in + 2 * done * steps, next);
      done += next;
    }
    tile.project();
    tile.read(seen.at[t]);
  }
}

}  // namespace sde::verify
