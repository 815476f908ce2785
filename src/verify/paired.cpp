#include "sde/verify/paired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "paired_lanes.hpp"
#include "paired_observer.hpp"
#include "paired_on_device.hpp"
#include "sde/ensemble/groups.hpp"
#include "term_observer.hpp"

namespace sde::verify {

Prediction theory(const discrete::Algorithm& a, const slow::Factors& factors) {
  Prediction r{"slow SDE", a.type->slow_sde(a, 0)};
  r.parameters.factors = factors;
  r.metric = a.type->metric(a);
  return r;
}
Prediction refined(const discrete::Algorithm& a, const slow::Factors& factors) {
  Prediction r = theory(a, factors);
  r.name = "refined slow SDE";
  r.parameters.refine(a.rate.eta);
  return r;
}

namespace {

using Table = PairedResult::Table;

PairedResult empty(const Pairing& p, const PairedPlan& plan) {
  PairedResult r;
  const Table table(p.times.size(), std::vector<Moments>(p.functions.size()));
  r.slow_time = plan.slow_time;
  r.algorithm = r.increment = table;
  r.prediction = r.drift = r.gap = r.step_error = std::vector<Table>(p.predictions.size(), table);
  r.distance.resize(p.times.size());
  return r;
}

/// Paths first .. last - 1 of the snapshots.
void observe_block(const Problem& problem, const Pairing& pairing, const PairedSnapshots& seen, long first, long last,
                   PairedResult& result) {
  PairedObserver(problem, pairing)(seen, first, last, result);
  if (pairing.fit_terms) result.terms.push_back(TermObserver(problem, pairing)(seen, result.slow_time, first, last));
}

}  // namespace

void PairedResult::merge(const PairedResult& from) {
  stats::merge(algorithm, from.algorithm);
  stats::merge(increment, from.increment);
  stats::merge(prediction, from.prediction);
  stats::merge(drift, from.drift);
  stats::merge(gap, from.gap);
  stats::merge(step_error, from.step_error);
  stats::merge(distance, from.distance);
  terms.insert(terms.end(), from.terms.begin(), from.terms.end());
  paths += from.paths;
  lost += from.lost;
  gradients += from.gradients;
  slow_steps += from.slow_steps;
}

namespace {

using Group = PairingState::Group;

/// Keeps what is known of group number g, and merges those that are complete, in their order.
void add(PairingState& state, long g, Group group, long blocks) {
  if (group.merged > 0) state.begun[g] = std::move(group);
  for (auto next = state.begun.find(state.merged); next != state.begun.end(); next = state.begun.find(state.merged)) {
    if (next->second.merged < ensemble::blocks_in_group(state.merged, blocks)) return;
    state.total.merge(next->second.part);
    state.begun.erase(next);
    ++state.merged;
  }
}

/// One pairing, on a device or on the CPU's threads, from where `state` has it.
class PairedRun {
 public:
  PairedRun(const Problem& problem, const Pairing& pairing, const PairedPlan& plan, const ensemble::Control& control,
            PairingState& state)
      : problem_(problem),
        pairing_(pairing),
        plan_(plan),
        control_(control),
        state_(state),
        blocks_(ensemble::blocks_of(pairing.paths)) {}

  void on_device(PairedTile& tile) {
    state_.begun.clear();
    const auto begin = [&](long) { return Group{0, empty(pairing_, plan_)}; };
    const auto reduce = [](Group& group, long, const PairedResult& part) {
      group.part.merge(part);
      ++group.merged;
      return true;
    };
    const auto compute = [&](ensemble::GroupRange range, auto take, auto progress) {
      const long from = range.first * ensemble::kGroupBlocks,
                 to = std::min(blocks_, range.last * ensemble::kGroupBlocks);
      auto add_block = ensemble::reducing<Group>(from, to, begin, reduce, take, progress);
      in_tiles(
          tile.capacity(), from * kBlock, std::min(pairing_.paths, to * kBlock),
          [&](long first, long count, PairedSnapshots& seen) { run(tile, first, count, seen); },
          [&](const PairedSnapshots& seen, long first, long count) {
            ensemble::parallel_ordered(
                first / kBlock, ensemble::blocks_of(first + count), control_.threads,
                [&](long b) {
                  PairedResult part = empty(pairing_, plan_);
                  const long here = b * kBlock - first;
                  observe_block(problem_, pairing_, seen, here, std::min(count, here + kBlock), part);
                  return part;
                },
                [&](long b, const PairedResult& part) { add_block(b, part); });
          });
    };
    ensemble::distribute<Group>(control_, {state_.merged, ensemble::groups_of(blocks_)},
                                std::max(1l, tile.capacity() / ensemble::kGroupPaths), compute,
                                [&](long g, Group group) { merge(g, std::move(group)); });
  }

  void on_cpu() {
    struct Part {
      PairedResult result;
      bool finished = false;
    };
    std::atomic<bool> moved{false};   // some block, since the last pause
    const auto begun = state_.begun;  // as it stood: what is merged changes it
    const auto known = [&](long b) {
      const auto found = begun.find(b / ensemble::kGroupBlocks);
      return found != begun.end() && b % ensemble::kGroupBlocks < found->second.merged;
    };
    ensemble::over_groups<Group>(
        control_, state_.merged, blocks_,
        [&](long g) {
          const auto found = begun.find(g);
          return found == begun.end() ? Group{0, empty(pairing_, plan_)} : found->second;
        },
        [&](long b) {
          Part part;
          if (known(b)) part.finished = true;
          if (part.finished || control_.stopping() || (moved && control_.pausing())) return part;
          try {
            part.result = block(b);
          } catch (const ensemble::Interrupted&) {
            return Part();
          }
          part.finished = moved = true;
          return part;
        },
        [&](Group& group, long b, const Part& part) {
          const long number = b % ensemble::kGroupBlocks;
          if (number < group.merged) return true;
          if (!part.finished || number > group.merged) return false;  // one behind an unfinished one is run again
          group.part.merge(part.result);
          ++group.merged;
          return true;
        },
        [&](long g, Group group) { merge(g, std::move(group)); });
  }

 private:
  static constexpr long kBlock = ensemble::kBlockPaths;

  PairedResult block(long b) const {
    PairedResult part = empty(pairing_, plan_);
    PairedLanes lanes(problem_, plan_.setup, pairing_.predictions);
    PairedSnapshots seen;
    const long last = std::min(pairing_.paths, (b + 1) * kBlock);
    for (long first = b * kBlock; first < last; first += kLanes) {
      const long count = std::min<long>(kLanes, last - first);
      run(lanes, first, count, seen);
      observe_block(problem_, pairing_, seen, 0, count, part);
    }
    return part;
  }
  void run(PairedTile& tile, long first, long count, PairedSnapshots& seen) const {
    run_tile(tile, problem_, static_cast<std::uint32_t>(first), count, plan_, control_.interrupted, seen);
  }
  void merge(long g, Group group) { add(state_, g, std::move(group), blocks_); }

  const Problem& problem_;
  const Pairing& pairing_;
  const PairedPlan& plan_;
  const ensemble::Control& control_;
  PairingState& state_;
  const long blocks_;
};

}  // namespace

bool resume_paired(const Problem& problem, const Pairing& pairing, const ensemble::Control& control,
                   PairingState& state) {
  ensemble::check(problem);
  discrete::check(pairing.algorithm);
  ensemble::check_slow_sde(problem, pairing.algorithm.workers);
  const bool in_metric = pairing.algorithm.type->in_metric();
  for (const auto& p : pairing.predictions)
    if (p.metric.has_value() != in_metric)
      throw std::invalid_argument(fmt::format("common noise: prediction '{}' of {}: expected {} metric", p.name,
                                              pairing.algorithm.type->name(), in_metric ? "a" : "no"));
  const PairedPlan plan(pairing);
  if (state.merged == 0) state.total = empty(pairing, plan);
  PairedRun run(problem, pairing, plan, control, state);
  try {
    const auto tile = in_metric ? nullptr : paired_tile_on_device(problem, plan.setup, pairing.paths, control);
    if (tile)
      run.on_device(*tile);
    else
      run.on_cpu();
  } catch (const ensemble::Interrupted&) {
    return false;
  }
  const auto paths = static_cast<double>(pairing.paths);
  const auto& a = pairing.algorithm;
  state.total.gradients = paths * a.type->gradients(a, plan.steps);
  state.total.slow_steps =
      paths * 3 * static_cast<double>(plan.pairs.back()) * static_cast<double>(pairing.predictions.size());
  return true;
}

PairedResult run_paired(const Problem& problem, const Pairing& pairing, const ensemble::Control& control) {
  PairingState state;
  if (!resume_paired(problem, pairing, control, state)) throw ensemble::Interrupted();
  return std::move(state.total);
}

}  // namespace sde::verify
