#include "device_run.hpp"

#include <fmt/format.h>

#include <mutex>

#include "block.hpp"
#include "sde/model/device_model.hpp"

namespace sde::ensemble {

namespace {

/// Paths on the device at a time: enough to fill it, and fewer where their states pass through the host.
constexpr long kTilePaths = 1 << 20, kTilePathsThroughHost = 1 << 17;
/// Steps between two looks at the interruption flag.
constexpr std::int64_t kPiece = 1 << 15;

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

/// The moments of one time in the order of TileObservation::quantities(). The rate's is that of the interval before.
template <class Result, class Use>
void for_each_row(Result& r, std::size_t t, Use use) {
  for (auto* table : {&r.values, &r.drift_1, &r.drift_2, &r.ito_normal, &r.diffusion}) use((*table)[t]);
  if (t > 0) use(r.rate[t - 1]);
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
        first_step_(method.stepwise() ? std::vector<std::int64_t>{} : slow_steps(timeline.slow_time, method.dt)),
        observers_(problem, method, observation, clock),
        device_(problem.model->device()) {
    const long wanted = std::min(kTilePaths, block_count(method) * kBlockPaths);
    tile_ = method.stepwise()
                ? device_->discrete_tile(control.device, wanted, problem.noise, method.algorithm, method.precision)
                : device_->slow_tile(control.device, wanted, problem.noise, method.algorithm.seed, method.precision);
    what_.components = observation.components;
    what_.flow = method.stepwise();
    what_.tolerance = manifold::kObservationFlow.tolerance;
    what_.polish_below = manifold::kObservationFlow.polish_below;
    what_.test_error = problem.model->has_test_error();
    observed_there_ = problem.interpolating && tile_->observe_here(flatten(observation.polynomials), what_);
    if (tile_->capacity() < wanted)
      control.notice(fmt::format("{}: the device has memory for {} paths at a time, not {}: smaller tiles", method.name,
                                 tile_->capacity(), wanted));
  }

  long blocks_at_once() const {
    const long most = observed_there_ ? kTilePaths : kTilePathsThroughHost;
    return std::max(1l, std::min(tile_->capacity(), most) / kBlockPaths);
  }

  /// Runs `blocks` blocks from number `first`, and adds them to `total`. Throws Interrupted.
  void operator()(long first, long blocks, MethodResult& total) {
    const long first_path = first * kBlockPaths;
    count_ = std::min(method_.paths - first_path, blocks * kBlockPaths);
    const Vector& at = method_.stepwise() ? problem_.start : problem_.start_on_gamma;
    tile_->start(static_cast<std::uint32_t>(first_path), count_, at.data());
    gone_.assign(static_cast<std::size_t>(count_), 0);
    previous_.assign(static_cast<std::size_t>(count_), Vector());
    const long lost_before = total.lost;
    const std::size_t times = timeline_.slow_time.size();
    for (std::size_t t = 0; t < times; ++t) {
      if (t > 0) advance(t - 1);
      if (observed_there_) {
        observe_there(t, total);
      } else {
        tile_->read(state_);
        observe(t, blocks, total);
      }
      const double part = static_cast<double>(t + 1) / static_cast<double>(times) * static_cast<double>(blocks);
      control_.progress((static_cast<double>(first) + part) / static_cast<double>(block_count(method_)));
    }
    if (observed_there_) total.lost += std::count(gone_.begin(), gone_.end(), 1);
    total.paths += count_;
    if (lost_before == 0 && total.lost > 0) describe_first_lost(first, total);
  }

 private:
  void advance(std::size_t i) {
    if (method_.stepwise())
      discrete::for_each_rounds(
          method_.algorithm, timeline_.steps[i], timeline_.steps[i + 1], kPiece, rates_,
          [&](const discrete::Rounds& rounds) { launch((rounds.to - rounds.from) * rounds.workers, rounds); });
    else
      clock_.for_each_piece(timeline_.slow_time, first_step_, i, kPiece,
                            [&](const slow::Steps& steps) { launch(steps.count, steps); });
  }

  /// Waits for the device now and then, so that an interruption is soon obeyed.
  template <class Piece>
  void launch(std::int64_t steps, const Piece& piece) {
    if (control_.interrupted && *control_.interrupted) throw Interrupted();
    tile_->advance(piece);
    steps_ += steps;
    if (steps_ < kPiece) return;
    tile_->wait();
    steps_ = 0;
  }

  /// On the device: only moments, and the samples kept for quantiles, come back.
  void observe_there(std::size_t t, MethodResult& total) {
    what_.parameters = clock_.at(timeline_.slow_time[t]);
    what_.width = t > 0 ? timeline_.slow_time[t] - timeline_.slow_time[t - 1] : 0;
    std::vector<stats::Moments> moments;
    for_each_row(total, t, [&](const auto& row) { moments.insert(moments.end(), row.begin(), row.end()); });
    const std::size_t recorded = what_.width > 0 ? moments.size() : moments.size() - (t > 0 ? total.rate[0].size() : 0);
    moments.resize(static_cast<std::size_t>(what_.quantities(static_cast<int>(observation_.polynomials.size()))));
    const auto room = MethodResult::kQuantilePaths - static_cast<long>(total.samples[t][0].size());
    std::vector<std::vector<double>> samples;
    tile_->observe(what_, moments, room, samples, gone_);
    std::size_t q = 0;
    for_each_row(total, t, [&](auto& row) {
      for (auto& m : row) {
        if (q < recorded) m = moments[q];
        ++q;
      }
    });
    for (std::size_t i = 0; i < total.samples[t].size(); ++i)
      total.samples[t][i].insert(total.samples[t][i].end(), samples[i].begin(), samples[i].end());
  }

  void observe(std::size_t t, long blocks, MethodResult& total) {
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
        [&](long, const MethodResult& part) {
          total.merge_time(t, part, row);
          total.lost += part.lost;
        });
  }

  void observe_path(Observer& observer, std::size_t path, std::size_t row, MethodResult& part) {
    if (gone_[path]) return;
    Vector theta(dim_);
    for (int k = 0; k < dim_; ++k)
      theta[k] = state_.x[static_cast<std::size_t>(k) * static_cast<std::size_t>(count_) + path];
    bool kept = !state_.lost[path] && in_domain(theta.data(), dim_);
    if (kept) try {
        observer(row, theta.data(), state_.spread[path], previous_[path], part);
      } catch (const manifold::FlowError&) {
        kept = false;
      }
    if (kept) return;
    gone_[path] = 1;
    ++part.lost;
  }

  /// What became of the first lost path: its block again on the CPU, which takes the same steps.
  void describe_first_lost(long first, MethodResult& total) {
    const auto path = std::find(gone_.begin(), gone_.end(), 1) - gone_.begin();
    BlockState block;
    if (!BlockRunner(problem_, method_, observation_, timeline_, clock_, control_.interrupted)(first + path / kBlockPaths,
                                                                                             block))
      throw Interrupted();
    total.first_lost = block.part.first_lost;
  }

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const Control& control_;
  const Timeline& timeline_;
  const SlowClock& clock_;
  const int dim_;
  const std::vector<std::int64_t> first_step_;
  Observers observers_;
  const std::shared_ptr<const DeviceModel> device_;
  std::unique_ptr<DeviceTile> tile_;
  long count_ = 0;
  std::int64_t steps_ = 0;
  TileState state_;
  bool observed_there_ = false;
  TileObservation what_;
  std::vector<std::uint8_t> gone_;
  std::vector<Vector> previous_;  ///< Phi at each path's last observation
  std::vector<double> rates_;
};

}  // namespace

bool runs_on_device(const Problem& problem, const Method& method) {
  if (!problem.model->device) return false;
  if (method.stepwise()) return true;
  return method.kind != Kind::coupled_slow && !method.ode && !method.flow_retraction && problem.interpolating;
}

bool resume_on_device(const Problem& problem, const Method& method, const Observation& observation,
                      const Control& control, const Timeline& timeline, const SlowClock& clock, MethodState& state) {
  state.unfinished.clear();  // blocks begun on the CPU are run again
  const long blocks = block_count(method);
  if (state.merged >= blocks) return true;
  DeviceRun run(problem, method, observation, control, timeline, clock);
  try {
    while (state.merged < blocks) {
      const long next = std::min(run.blocks_at_once(), blocks - state.merged);
      MethodResult total = state.total;
      run(state.merged, next, total);
      state.total = std::move(total);
      state.merged += next;
    }
  } catch (const Interrupted&) {
    return false;
  }
  return true;
}

}  // namespace sde::ensemble
