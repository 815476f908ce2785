#include "device_run.hpp"

#include <fmt/format.h>

#include <mutex>

#include "block.hpp"
#include "sde/ensemble/groups.hpp"
#include "sde/model/device_model.hpp"

namespace sde::ensemble {

namespace {

/// Paths on the device at a time: enough to fill it, and fewer where their states pass through the host.
constexpr long kTilePaths = 1 << 20, kTilePathsThroughHost = 1 << 17;
/// Steps between two looks at the interruption flag.
constexpr std::int64_t kChunk = 1 << 15;
/// Memory for the tables of a tile's groups, at most; of a turn's, where ranks gather them.
constexpr std::size_t kGroupsBytes = std::size_t{256} << 20;

/// Observers for the threads that ask for one: each has storage of its own.
class Observers {
 public:
  Observers(const Problem& p, const Method& m, const Observation& o, const SlowClock& c)
      : make_([&p, &m, &o, &c] { return std::make_unique<Observer>(p, m, o, c); }) {}
  std::unique_ptr<Observer> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return make_();
    auto one = std::move(idle_.back());
    idle_.pop_back();
    return one;
  }
  void give_back(std::unique_ptr<Observer> one) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(one));
  }

 private:
  const std::function<std::unique_ptr<Observer>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Observer>> idle_;
};

FlatPolynomials flatten(const std::vector<Polynomial>& polynomials) {
  FlatPolynomials flat;
  for (const auto& p : polynomials) {
    for (const auto& term : p.terms) {
      flat.coefficient.push_back(term.coefficient);
      for (const auto& [coordinate, exponent] : term.powers) {
        flat.coordinate.push_back(coordinate);
        flat.exponent.push_back(exponent);
      }
      flat.power_end.push_back(static_cast<int>(flat.coordinate.size()));
    }
    flat.term_end.push_back(static_cast<int>(flat.coefficient.size()));
  }
  return flat;
}

/// The rows of one time in the order of for_each_component(). Those of rates are of the interval before.
template <class Use>
struct ComponentRows {
  MethodResult& r;
  const std::size_t t;
  Use& use;
  void components(PerComponent which, auto) {
    if (which != PerComponent::rate)
      use(r.table(which)[t]);
    else if (t > 0)
      use(r.rate[t - 1]);
  }
  void pairs(auto) { use(r.diffusion_pairs[t]); }
  void rate_pairs() {
    if (t == 0) return;
    use(r.rate_sums[t - 1]);
    use(r.rate_differences[t - 1]);
  }
};
/// The moments of one time in the order of TileObservation::quantities().
template <class Use>
void for_each_row(MethodResult& r, std::size_t t, Use use) {
  use(r.values[t]);
  ComponentRows<Use> rows{r, t, use};
  for_each_component({}, rows);
}

/// Bytes of a group's tables, without samples: the first groups alone have any.
std::size_t table_bytes(const MethodResult& r) {
  const auto of_components = 5 * r.drift_1.front().size() + 3 * r.diffusion_pairs.front().size();
  return r.slow_time.size() * (r.observables.size() + of_components) * sizeof(stats::Moments);
}

/// One method's tiles.
class DeviceRun {
 public:
  DeviceRun(const Problem& problem, const Method& method, const Observation& observation, const Control& control,
            const Timeline& timeline, const SlowClock& clock)
      : problem_(problem),
        method_(method),
        observation_(observation),
        control_(control),
        timeline_(timeline),
        clock_(clock),
        dim_(problem.model->dim()),
        blocks_(blocks_of(method.paths)),
        algorithm_(method.dynamics->algorithm(method)),
        in_rounds_(method.dynamics->in_rounds()),
        first_step_(in_rounds_ ? std::vector<std::int64_t>{} : slow_steps(timeline.slow_time, method.dt)),
        observers_(problem, method, observation, clock) {
    const long wanted = std::min(kTilePaths, blocks_ * kBlockPaths);
    tile_ = method.dynamics->tile(problem, method, control.device, wanted);
    what_.components = observation.components;
    what_.flow = !method.dynamics->on_gamma();
    what_.tolerance = manifold::kObservationFlow.tolerance;
    what_.polish_below = manifold::kObservationFlow.polish_below;
    what_.test_error = problem.model->has_test_error();
    what_.group = kGroupPaths;
    const bool no_residuals_stay = problem.interpolating || problem.model->residual_count() == 0;
    const bool adaptive = method.algorithm.type->in_metric();      // its drift is not what the device would record
    const bool of_position = observation.diagonal_powers.empty();  // which the device does not know
    observed_there_ =
        no_residuals_stay && !adaptive && of_position && tile_->observe_here(flatten(observation.polynomials), what_);
    if (tile_->capacity() < wanted)
      control.notice(fmt::format("{}: the device has memory for {} paths at a time, not {}: smaller tiles", method.name,
                                 tile_->capacity(), wanted));
  }

  /// Groups of a tile, 1 where a group takes several tiles.
  long groups_at_once() const {
    const MethodResult one(problem_, observation_, timeline_.slow_time);
    const auto ranks = static_cast<std::size_t>(control_.ranks ? control_.ranks->size() : 1);
    const long room = static_cast<long>(kGroupsBytes / (table_bytes(one) * ranks));
    return std::max(1l, std::min(blocks_at_once() / kGroupBlocks, room));
  }

  /// Runs the groups of `range`, each from where `state` has it, and hands them over by take(g, group). Blocks that the
  /// CPU has begun are run again. Throws Interrupted and DeviceFailure, after taking what is finished of a group.
  template <class Take, class Progress>
  void operator()(GroupRange range, const MethodState& state, Take take, Progress progress) {
    const long first = range.first * kGroupBlocks, last = std::min(blocks_, range.last * kGroupBlocks);
    lost_before_ = state.total.lost > 0;
    for (long g = range.first; g < range.last;) {
      auto groups = row_of_groups(g, range.last, state);
      const long end = std::min(last, (g + static_cast<long>(groups.size())) * kGroupBlocks);
      for (long at = g * kGroupBlocks + groups[0].merged; at < end;) {
        const long blocks = std::min(end - at, blocks_at_once());
        try {
          groups = tile(at, blocks, groups, state.total, [&](double part) {
            progress((static_cast<double>(at - first) + part * static_cast<double>(blocks)) /
                     static_cast<double>(last - first));
          });
        } catch (...) {
          if (groups[0].merged > 0) take(g, groups[0]);
          throw;
        }
        at += blocks;
        if (at < end && control_.pausing()) {  // a group that takes several tiles
          take(g, groups[0]);
          throw Interrupted();
        }
      }
      for (auto& group : groups) take(g++, std::move(group));
      if (g < range.last && control_.pausing()) throw Interrupted();
    }
  }

 private:
  long blocks_at_once() const {
    const long most = observed_there_ ? kTilePaths : kTilePathsThroughHost;
    return std::max(1l, std::min(tile_->capacity(), most) / kBlockPaths);
  }

  /// Group number g as `state` has it, or before its first path, and as many whole ones after it as fit into one tile.
  std::vector<GroupState> row_of_groups(long g, long last, const MethodState& state) const {
    const auto fresh = [&] { return GroupState{0, MethodResult(problem_, observation_, timeline_.slow_time), {}}; };
    if (const auto found = state.begun.find(g); found != state.begun.end() && found->second.merged > 0)
      return {{found->second.merged, found->second.part, {}}};
    std::vector<GroupState> groups{fresh()};
    const long most = std::min(last - g, groups_at_once());
    while (static_cast<long>(groups.size()) < most && !state.begun.contains(g + static_cast<long>(groups.size())))
      groups.push_back(fresh());
    return groups;
  }

  /// The paths in hand that belong to group number i of the tile: from .first to .second - 1.
  std::pair<std::ptrdiff_t, std::ptrdiff_t> paths_of(std::size_t i) const {
    const long first = static_cast<long>(i) * kGroupPaths;
    return {first, std::min(count_, first + kGroupPaths)};
  }
  long gone_of(std::size_t i) const {
    const auto [first, last] = paths_of(i);
    return std::count(gone_.begin() + first, gone_.begin() + last, 1);
  }

  /// `groups` after `blocks` blocks more from number `first` on: all of them, or a part of one. Throws Interrupted.
  template <class Progress>
  std::vector<GroupState> tile(long first, long blocks, std::vector<GroupState> groups, const MethodResult& total,
                               Progress progress) {
    first_path_ = first * kBlockPaths;
    count_ = std::min(method_.paths - first_path_, blocks * kBlockPaths);
    const Vector& at = method_.dynamics->on_gamma() ? problem_.start_on_gamma : problem_.start;
    tile_->start(static_cast<std::uint32_t>(first_path_), count_, at.data());
    gone_.assign(static_cast<std::size_t>(count_), 0);
    previous_.assign(static_cast<std::size_t>(count_), Vector());
    const std::size_t times = timeline_.slow_time.size();
    for (std::size_t t = 0; t < times; ++t) {
      if (t > 0) advance(t - 1);
      // Of samples, as many as the total may have room for: the groups before this tile's first may bring some, too.
      const auto had = [&](const MethodResult& r) { return static_cast<long>(r.samples[t][0].size()); };
      const long room = groups[0].part.most_samples - had(total) - had(groups[0].part);
      if (observed_there_) {
        observe_there(t, groups, room);
      } else {
        tile_->read(state_);
        observe(t, blocks, groups, room);
      }
      progress(static_cast<double>(t + 1) / static_cast<double>(times));
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto [begin, end] = paths_of(i);
      groups[i].merged += blocks_of(end - begin);
      groups[i].part.paths += end - begin;
      groups[i].part.lost += gone_of(i);
    }
    describe_first_lost(first, groups);
    return groups;
  }

  void advance(std::size_t i) {
    if (in_rounds_)
      discrete::for_each_rounds(
          algorithm_, timeline_.steps[i], timeline_.steps[i + 1], kChunk, rates_,
          [&](const discrete::Rounds& rounds) { launch((rounds.to - rounds.from) * rounds.workers, rounds); });
    else
      clock_.for_each_chunk(timeline_.slow_time, first_step_, i, kChunk,
                            [&](const slow::Steps& steps) { launch(steps.count, steps); });
  }

  /// Waits for the device now and then, so that an interruption is soon obeyed.
  template <class Chunk>
  void launch(std::int64_t steps, const Chunk& chunk) {
    if (control_.interrupted && *control_.interrupted) throw Interrupted();
    tile_->advance(chunk);
    steps_ += steps;
    if (steps_ < kChunk) return;
    tile_->wait();
    steps_ = 0;
  }

  /// On the device: only moments, and the samples kept for quantiles, come back.
  void observe_there(std::size_t t, std::vector<GroupState>& groups, long room) {
    what_.parameters = clock_.at(timeline_.slow_time[t]);
    what_.width = t > 0 ? timeline_.slow_time[t] - timeline_.slow_time[t - 1] : 0;
    const auto quantities =
        static_cast<std::size_t>(what_.quantities(static_cast<int>(observation_.polynomials.size())));
    std::vector<stats::Moments> moments;
    for (auto& g : groups) {
      for_each_row(g.part, t, [&](const auto& row) { moments.insert(moments.end(), row.begin(), row.end()); });
      moments.resize((moments.size() + quantities - 1) / quantities *
                     quantities);  // there are no rates at the first time
    }
    std::vector<std::vector<double>> samples;
    tile_->observe(what_, moments, room, samples, gone_);
    const int of_rates = what_.components + what_.of_rate_pairs();
    const std::size_t recorded = quantities - (what_.width > 0 ? 0 : static_cast<std::size_t>(of_rates));
    std::vector<long> paths;  // of the samples
    for (long path = 0; path < count_ && paths.size() < samples[0].size(); ++path)
      if (!gone_[static_cast<std::size_t>(path)]) paths.push_back(first_path_ + path);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      std::size_t q = 0;
      for_each_row(groups[i].part, t, [&](auto& row) {
        for (auto& m : row) {
          if (q < recorded) m = moments[i * quantities + q];
          ++q;
        }
      });
      if (kept == samples[0].size()) continue;
      const auto [first, last] = paths_of(i);
      const std::size_t next = std::min(samples[0].size(), kept + static_cast<std::size_t>(last - first - gone_of(i)));
      auto& own = groups[i].part.samples[t];
      const auto append = [&](auto& to, const auto& from) {
        to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(kept),
                  from.begin() + static_cast<std::ptrdiff_t>(next));
      };
      for (std::size_t k = 0; k < own.size(); ++k) append(own[k], samples[k]);
      append(groups[i].part.sample_paths[t], paths);
      kept = next;
    }
  }

  void observe(std::size_t t, long blocks, std::vector<GroupState>& groups, long room) {
    // Tables of one time, after a row for the one before it: rates are differences.
    const std::size_t row = t > 0 ? 1 : 0;
    std::vector<double> times(timeline_.slow_time.begin() + static_cast<std::ptrdiff_t>(t - row),
                              timeline_.slow_time.begin() + static_cast<std::ptrdiff_t>(t + 1));
    parallel_ordered(
        0, blocks, control_.threads,
        [&](long b) {
          MethodResult part(problem_, observation_, times);
          auto observer = observers_.take();
          for (long path = b * kBlockPaths; path < std::min(count_, (b + 1) * kBlockPaths); ++path)
            observe_path(*observer, static_cast<std::size_t>(path), row, part);
          observers_.give_back(std::move(observer));
          return part;
        },
        [&](long b, MethodResult part) {
          const auto here = static_cast<long>(part.samples[row][0].size());
          if (room <= 0) part.drop_samples();
          room -= here;
          groups[static_cast<std::size_t>(b / kGroupBlocks)].part.merge_time(t, part, row);
        });
  }

  void observe_path(Observer& observer, std::size_t path, std::size_t row, MethodResult& part) {
    if (gone_[path]) return;
    Vector theta(dim_);
    for (int k = 0; k < dim_; ++k)
      theta[k] = state_.x[static_cast<std::size_t>(k) * static_cast<std::size_t>(count_) + path];
    bool kept = !state_.lost[path] && in_domain(theta.data(), dim_);
    if (kept) try {
        observer(first_path_ + static_cast<long>(path), row, theta.data(), state_.spread[path], previous_[path], part);
      } catch (const manifold::FlowError&) {
        kept = false;
      }
    if (!kept) gone_[path] = 1;
  }

  /// What became of the first lost path of all: its block again on the CPU, which takes the same steps. Those of later
  /// groups are not asked for.
  void describe_first_lost(long first, std::vector<GroupState>& groups) {
    for (auto& g : groups) {
      if (lost_before_ || g.part.lost == 0) continue;
      lost_before_ = true;
      if (!g.part.first_lost.reason.empty()) return;
      const auto path = std::find(gone_.begin(), gone_.end(), 1) - gone_.begin();
      BlockState block;
      BlockRunner run(problem_, method_, observation_, timeline_, clock_, control_.interrupted);
      if (!run(first + path / kBlockPaths, block)) throw Interrupted();
      g.part.first_lost = block.part.first_lost;
    }
  }

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const Control& control_;
  const Timeline& timeline_;
  const SlowClock& clock_;
  const int dim_;
  const long blocks_;
  const discrete::Algorithm algorithm_;
  const bool in_rounds_;
  const std::vector<std::int64_t> first_step_;
  Observers observers_;
  std::unique_ptr<DeviceTile> tile_;
  long first_path_ = 0, count_ = 0;  ///< of the tile
  std::int64_t steps_ = 0;
  TileState state_;
  bool observed_there_ = false;
  TileObservation what_;
  std::vector<std::uint8_t> gone_;
  std::vector<Vector> previous_;  ///< Phi at each path's last observation
  std::vector<double> rates_;
  bool lost_before_ = false;  ///< a path has been lost, and what became of the first is known
};

}  // namespace

bool runs_on_device(const Problem& problem, const Method& method) {
  return problem.model->device && method.dynamics->runs_on_device(problem, method);
}

bool resume_on_device(const Problem& problem, const Method& method, const Observation& observation,
                      const Control& control, const Timeline& timeline, const SlowClock& clock, MethodState& state) {
  const long groups = groups_of(blocks_of(method.paths));
  if (state.merged >= groups) return true;
  DeviceRun run(problem, method, observation, control, timeline, clock);
  try {
    distribute<GroupState>(
        control, {state.merged, groups}, run.groups_at_once(),
        [&](GroupRange range, auto take, auto progress) { run(range, state, take, progress); },
        [&](long g, GroupState group) { state.add(g, std::move(group), blocks_of(method.paths)); });
  } catch (const Interrupted&) {
    return false;
  }
  return true;
}

}  // namespace sde::ensemble
