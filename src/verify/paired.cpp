#include "sde/verify/paired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "paired_observer.hpp"
#include "paired_on_device.hpp"
#include "sde/core/error.hpp"
#include "sde/ensemble/groups.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/moving_geometry.hpp"
#include "sde/model/paired_steps.hpp"
#include "sde/slow/moving_metric.hpp"
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

/// kLanes paths on the CPU.
class PairedLanes final : public PairedTile {
 public:
  PairedLanes(const Problem& problem, const PairedSetup& setup, const std::vector<Prediction>& predictions)
      : setup_(setup),
        stepping_(setup, setup.predictions.data(), setup.functions.data()),
        d_(problem.model->dim()),
        metric_(setup.algorithm.type->metric(setup.algorithm)),
        slow_(slow_kernels(problem, predictions)),
        algorithm_(problem.model->recording_kernel(problem.noise, setup.algorithm, slow_.front()->innovations())),
        flow_(*problem.model, manifold::kObservationFlow, problem.minimum()),
        one_(static_cast<std::size_t>(slow_.front()->innovations().count() * kLanes)),
        both_(one_),
        unit_(one_),
        before_(static_cast<std::size_t>(d_ * kLanes)),
        step_martingale_(before_),
        point_(d_),
        along_(d_) {}

  long capacity() const override { return kLanes; }

  void start(std::uint32_t first, long count, const double* theta, std::int64_t burn_in) override {
    first_ = first;
    active_ = static_cast<int>(count);
    for (auto& kernel : slow_) kernel->use_lanes(active_);
    const std::size_t predictions = setup_.predictions.size(), state = before_.size();
    s_.count = kLanes;
    // The position first, then what the algorithm keeps beside it, at rest.
    s_.x.assign(static_cast<std::size_t>(algorithm_->shape().size() * kLanes), 0.0);
    s_.point.resize(state);
    s_.fine.resize(predictions * slow_state());
    s_.coarse.resize(predictions * slow_state());
    s_.martingale.assign(predictions * setup_.functions.size() * kLanes, 0.0);
    s_.lost.assign(kLanes, 0);
    s_.lost_by.assign(predictions * kLanes, 0);
    for (std::size_t i = 0; i < state; ++i) s_.x[i] = theta[i / kLanes];
    if (burn_in > 0) algorithm_->advance(s_.x.data(), first_, 0, burn_in, spread_, one_.data());
  }

  void begin(const double* on_gamma) override {
    if (on_gamma)
      for (std::size_t i = 0; i < s_.point.size(); ++i) s_.point[i] = on_gamma[i / kLanes];
    const std::size_t rows = slow_state(), position = s_.point.size();
    // After the position comes v - v(0): an adaptive method keeps it in the same place.
    for (auto* states : {&s_.fine, &s_.coarse})
      for (std::size_t i = 0; i < states->size(); ++i)
        (*states)[i] = i % rows < position ? s_.point[i % rows] : s_.x[i % rows];
  }

  void advance(std::int64_t k, std::int64_t pairs) override {
    advance_pairs(*this, stepping_, k, pairs, one_.data(), both_.data(), unit_.data());
  }

  /// The coarse step's increment is that of both fine ones, weighted by their lengths: their rates may differ.
  void advance_changing(const PairedStep& s) override {
    const auto half = [&](std::int64_t from, std::int64_t to, double width, int workers, const auto& predictions) {
      draw(from, to, one_.data());
      const double norm = -1 / std::sqrt(static_cast<double>(to - from) * workers);
      move_predictions(*this, PairedStepping(width, norm, predictions.data(), stepping_), one_.data(), 1, true,
                       unit_.data());
      for (std::size_t c = 0; c < one_.size(); ++c) both_[c] += std::sqrt(width) * norm * one_[c];
    };
    std::fill(both_.begin(), both_.end(), 0.0);
    half(s.from, s.middle, s.first, s.first_workers, s.at_from);
    half(s.middle, s.to, s.second, s.second_workers, s.at_middle);
    const double width = s.first + s.second;
    move_predictions(*this, PairedStepping(width, 1 / std::sqrt(width), s.at_from.data(), stepping_), both_.data(), 1,
                     false, unit_.data());
  }

  void read(PairedState& state) override { state = s_; }

  void project() override {
    for (int l = 0; l < active_; ++l) {
      if (s_.lost[l]) continue;
      try {
        for (int k = 0; k < d_; ++k) point_[k] = s_.x[k * kLanes + l];
        if (!point_.allFinite() || point_.cwiseAbs().maxCoeff() >= kDiverged) throw manifold::FlowError("diverged");
        if (metric_) {
          for (int k = 0; k < d_; ++k) along_[k] = metric_->start[k] + s_.x[(d_ + k) * kLanes + l];
          flow_.set_metric(metric_->root(along_));
        }
        flow_(point_.data());
        for (int k = 0; k < d_; ++k) s_.point[k * kLanes + l] = point_[k];
      } catch (const manifold::FlowError&) {
        s_.lost[l] = 1;
      }
    }
  }

  // What advance_pairs() asks for.
  static constexpr int Dim = kDynamic;
  int size() const { return static_cast<int>(one_.size()); }
  void draw(std::int64_t k, double* one) { draw(k, k + setup_.steps, one); }
  void draw(std::int64_t from, std::int64_t to, double* one) {
    std::fill_n(one, one_.size(), 0.0);
    algorithm_->advance(s_.x.data(), first_, from, to, spread_, one);
  }
  template <class Control>
  void step(int p, bool fine, const slow::Parameters& parameters, double width, const double* unit, bool controlled,
            Control control) {
    double* const x = &(fine ? s_.fine : s_.coarse)[static_cast<std::size_t>(p) * slow_state()];
    if (controlled) std::copy_n(x, before_.size(), before_.begin());
    const unsigned lost = slow_of(p).step(x, parameters, width, unit, step_martingale_.data());
    for (int l = 0; l < kLanes; ++l) s_.lost_by[static_cast<std::size_t>(p * kLanes + l)] |= lost >> l & 1;
    if (!controlled) return;
    for (int l = 0; l < active_; ++l) {
      for (int k = 0; k < d_; ++k) {
        point_[k] = before_[k * kLanes + l];
        along_[k] = step_martingale_[k * kLanes + l];
      }
      control(point_.data(), along_.data(), s_.martingale.data() + l, long{kLanes});
    }
  }

 private:
  using Kernels = std::vector<std::unique_ptr<SlowKernel>>;
  /// One for all, or in a metric one for each prediction.
  static Kernels slow_kernels(const Problem& problem, const std::vector<Prediction>& predictions) {
    Kernels all;
    for (const auto& p : predictions)
      if (p.metric)
        all.push_back(slow::metric_slow_kernel(*problem.model, problem.noise, *p.metric, problem.interpolating));
    if (all.empty()) all.push_back(slow::slow_kernel(*problem.model, problem.noise, problem.interpolating));
    return all;
  }
  SlowKernel& slow_of(int prediction) { return *slow_[slow_.size() == 1 ? 0 : static_cast<std::size_t>(prediction)]; }
  /// Numbers in the state of one prediction.
  std::size_t slow_state() const { return before_.size() * (metric_ ? 2 : 1); }

  const PairedSetup& setup_;
  const PairedStepping stepping_;
  const int d_;
  const std::optional<slow::MovingMetric> metric_;
  Kernels slow_;
  std::unique_ptr<RecordingKernel> algorithm_;
  manifold::FlowMap flow_;
  std::uint32_t first_ = 0;
  int active_ = 0;
  double spread_[kLanes] = {};
  PairedState s_;
  std::vector<double> one_, both_, unit_, before_, step_martingale_;
  Vector point_, along_;
};

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
