#include "paired_plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sde::verify {

namespace {

/// An end of rounds.
struct End {
  std::int64_t step;
  double time;
  int workers;  ///< of the round that follows
};

/// Fine steps under schedules that change: whole rounds of one number of workers that last dt or more. An even number.
std::vector<End> fine_steps(const discrete::Algorithm& a, double dt) {
  std::vector<End> ends{{0, 0, a.round(0).workers}};
  const auto slow_time = a.slow_time_of_step();
  double t = 0;
  for (std::int64_t k = 0; k < a.rate.steps;) {
    const std::int64_t length = a.steps_to_observation(k);
    for (std::int64_t h = 0; h < length; ++h) t += slow_time(a.rate(k + h));
    k += length;
    const int workers = a.round(k).workers;
    if (t - ends.back().time >= dt * (1 - 1e-9) || workers != ends.back().workers || k >= a.rate.steps)
      ends.push_back({k, t, workers});
  }
  if (ends.size() % 2 == 1) return ends;
  for (std::size_t i = ends.size() - 2; i > 0; --i)  // of the last two that the same workers take, one
    if (ends[i].workers == ends[i - 1].workers) {
      ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  return ends;
}

std::vector<PairedSlowSde> predictions_at(const Pairing& p, std::int64_t k) {
  std::vector<PairedSlowSde> all;
  for (const auto& x : p.predictions) all.push_back({x.at ? x.at(k) : x.parameters, x.time_scale});
  return all;
}

std::vector<PairedStep> changing_steps(const Pairing& p) {
  const auto ends = fine_steps(p.algorithm, p.dt);
  std::vector<PairedStep> steps;
  for (std::size_t i = 0; i + 2 < ends.size(); i += 2) {
    const auto &from = ends[i], &middle = ends[i + 1], &to = ends[i + 2];
    steps.push_back({from.step, middle.step, to.step, middle.time - from.time, to.time - middle.time, from.workers,
                     middle.workers, predictions_at(p, from.step), predictions_at(p, middle.step)});
  }
  if (steps.empty()) throw std::invalid_argument("common noise: the run is shorter than two rounds");
  return steps;
}

}  // namespace

std::int64_t PairedPlan::nearest(double t) const {
  if (changing.empty()) return std::max<std::int64_t>(1, std::llround(t / (2 * setup.dt)));
  const auto after = std::lower_bound(ends.begin() + 1, ends.end() - 1, t);
  const auto number = after - ends.begin();
  return number > 1 && t - ends[static_cast<std::size_t>(number - 1)] <= *after - t ? number - 1 : number;
}

double PairedPlan::end(std::int64_t pair) const {
  return changing.empty() ? static_cast<double>(2 * pair) * setup.dt : ends[static_cast<std::size_t>(pair)];
}

std::vector<double> paired_times(const Pairing& p) {
  auto without = p;  // two of the times may fall on one end, which a plan refuses
  without.times.clear();
  const PairedPlan plan(without);
  std::vector<double> times;
  for (const double t : p.times) times.push_back(plan.end(plan.nearest(t)));
  return times;
}

PairedPlan::PairedPlan(const Pairing& p) {
  const auto& a = setup.algorithm = p.algorithm;
  if (a.increments.conventional)
    throw std::invalid_argument("common noise: expected a discrete algorithm, not a conventional SDE");
  for (const auto& prediction : p.predictions)
    setup.predictions.push_back({prediction.parameters, prediction.time_scale});
  // Martingales cost a pass of the diffusion a step: none where no function has one.
  if (std::any_of(p.functions.begin(), p.functions.end(), [](const auto& g) { return g.smooth(); }))
    for (const auto& g : p.functions) setup.functions.push_back(g.flat());
  if (!a.steady()) {
    if (p.burn_in > 0) throw std::invalid_argument("common noise: expected constant schedules with a burn-in");
    changing = changing_steps(p);
    ends.assign(1, 0);
    for (const auto& s : changing) ends.push_back(ends.back() + s.first + s.second);
  }
  const double eta2 = a.slow_time(a.rate.eta);
  const std::int64_t H = a.steps_in_round();
  const double round = static_cast<double>(H) * eta2;
  setup.steps = H * std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(p.dt / round + 1e-9)));
  setup.dt = static_cast<double>(setup.steps) * eta2;
  burn_in = H * std::llround(p.burn_in / round);
  for (const double t : p.times) {
    pairs.push_back(std::max<std::int64_t>(pairs.empty() ? 1 : pairs.back() + 1, nearest(t)));
    if (!changing.empty() && pairs.back() > static_cast<std::int64_t>(changing.size()))
      throw std::invalid_argument("common noise: two comparisons fall on one time (paired_times)");
    slow_time.push_back(end(pairs.back()));
  }
  const std::int64_t last = pairs.empty() ? 0 : pairs.back();
  if (changing.empty())
    steps = burn_in + 2 * last * setup.steps;
  else if (last > 0)
    steps = changing[static_cast<std::size_t>(last - 1)].to;
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
      if (!plan.changing.empty()) {
        tile.advance_changing(plan.changing[static_cast<std::size_t>(done++)]);
        continue;
      }
      const std::int64_t next = std::min(chunk, plan.pairs[t] - done);
      tile.advance(plan.burn_in + 2 * done * steps, next);
      done += next;
    }
    tile.project();
    tile.read(seen.at[t]);
  }
}

}  // namespace sde::verify
