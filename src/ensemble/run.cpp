#include <fmt/format.h>

#include <utility>

#include "mover.hpp"
#include "observer.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::ensemble {

void Problem::settle() {
  start_on_gamma = start;
  manifold::FlowMap flow(*model);
  flow(start_on_gamma.data());
  interpolating = flow.interpolating();
}

std::unique_ptr<slow::PointTerms> Problem::terms() const {
  if (interpolating) return model->residual_terms(noise);
  return std::make_unique<slow::DenseGeometry>(*model, noise);
}

namespace {

/// Runs the paths of one block, from where its state stands to the end or to an interruption.
class BlockRunner {
 public:
  BlockRunner(const Problem& problem, const Method& method, const Observation& observation, const Timeline& timeline,
              const SlowClock& clock, const std::atomic<bool>* interrupted)
      : problem_(problem),
        method_(method),
        observation_(observation),
        timeline_(timeline),
        interrupted_(interrupted),
        dim_(problem.model->dim()),
        mover_(make_mover(problem, method, timeline, clock, interrupted)),
        observe_(problem, method, observation, clock) {}

  /// Returns false where it was interrupted.
  bool operator()(long b, BlockState& s) {
    const long first = b * kBlockPaths, last = std::min(method_.paths, first + kBlockPaths);
    if (s.x.empty()) {
      s.part = MethodResult(problem_, observation_, timeline_.slow_time);
      s.x.resize(static_cast<std::size_t>(dim_ * kLanes));
      s.previous.resize(kLanes);
    }
    for (; first + s.done < last; s.done += kLanes, s.time = 0) {
      const long group = first + s.done;
      const int active = static_cast<int>(std::min<long>(kLanes, last - group));
      if (s.time == 0) start(s);
      while (s.time < timeline_.slow_time.size()) {
        if (interrupted_ && *interrupted_) return false;
        unsigned failed = 0;
        before_ = s.x;
        if (s.time > 0) {
          const auto spread = s.spread;
          try {
            failed = mover_->advance(s.x.data(), static_cast<std::uint32_t>(group), s.time - 1, s.spread.data());
          } catch (const Interrupted&) {
            s.x = before_;
            s.spread = spread;
            return false;
          }
        }
        for (int l = 0; l < active; ++l)
          if (!(s.gone >> l & 1)) observe(s, group, l, failed >> l & 1);
        ++s.time;
      }
      s.part.paths += active;
    }
    return true;
  }

 private:
  void start(BlockState& s) const {
    const Vector& at = method_.stepwise() ? problem_.start : problem_.start_on_gamma;
    for (int k = 0; k < dim_; ++k)
      for (int l = 0; l < kLanes; ++l) s.x[k * kLanes + l] = at[k];
    s.gone = 0;
    s.spread.fill(0);
    for (auto& p : s.previous) p.resize(0);
  }

  void observe(BlockState& s, long group, int lane, bool failed) {
    theta_.resize(dim_);
    for (int k = 0; k < dim_; ++k) theta_[k] = s.x[k * kLanes + lane];
    std::string reason;
    const bool diverged = !in_domain(s.x.data(), dim_, lane);
    if (diverged)
      reason = "diverged: a coordinate beyond 1e8";
    else if (failed)
      reason = fmt::format("the retraction did not converge near x1 = {:.6g}", theta_[0]);
    else
      try {
        observe_(s.time, theta_.data(), s.spread[lane], s.previous[lane], s.part);
        return;
      } catch (const manifold::FlowError& e) {
        reason = e.what();
      }
    s.gone |= 1u << lane;
    if (s.part.lost++ > 0) return;
    long step = s.time > 0 ? mover_->step_after(s.time - 1) : 0;
    if (diverged && s.time > 0) {
      // Again from the last observation, round by round: where it left, and how far it was by then.
      auto x = before_;
      step = mover_->diverged_at(x.data(), static_cast<std::uint32_t>(group), s.time - 1, lane);
      double largest = 0;
      for (int k = 0; k < dim_; ++k) largest = std::fmax(largest, std::abs(x[k * kLanes + lane]));
      reason = fmt::format("diverged: max |theta_k| = {:.3g}", largest);
    }
    s.part.first_lost = {group + lane, step, timeline_.slow_time[s.time], reason};
  }

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  const int dim_;
  std::unique_ptr<Mover> mover_;
  Observer observe_;
  Vector theta_;
  std::vector<double> before_;  ///< state of the paths in hand at their last observation
};

}  // namespace

bool resume(const Problem& problem, const Method& method, const Observation& observation, const Control& control,
            MethodState& state) {
  const bool rounds = method.stepwise() || method.kind == Kind::coupled_slow;
  Timeline timeline;
  if (rounds)
    timeline = observe_at_rounds(method.algorithm, observation.times);
  else
    timeline.slow_time = observation.times;
  const SlowClock clock(method);
  const long blocks = (method.paths + kBlockPaths - 1) / kBlockPaths;
  if (state.merged == 0) state.total = MethodResult(problem, observation, timeline.slow_time);

  struct Outcome {
    BlockState block;
    bool finished;
  };
  auto unfinished = std::exchange(state.unfinished, {});
  bool finished = true;
  parallel_ordered(
      state.merged, blocks, control.threads,
      [&](long b) {
        Outcome o{{}, false};
        if (const auto found = unfinished.find(b); found != unfinished.end())
          o.block = std::move(found->second);
        else if (control.interrupted && *control.interrupted)
          return Outcome{{}, false};
        o.finished = BlockRunner(problem, method, observation, timeline, clock, control.interrupted)(b, o.block);
        return o;
      },
      [&](long b, Outcome o) {
        finished = finished && o.finished;
        if (finished) {
          state.total.merge(o.block.part);
          state.merged = b + 1;
          control.progress(static_cast<double>(b + 1) / static_cast<double>(blocks));
        } else if (o.block.done > 0 || o.block.time > 0) {
          state.unfinished.emplace(b, std::move(o.block));
        }
      });
  if (finished && rounds) {
    const double per_step =
        method.kind == Kind::sgd || method.kind == Kind::conventional_sgd ? 1 : method.algorithm.workers;
    state.total.gradients = static_cast<double>(timeline.steps.back()) * per_step * static_cast<double>(method.paths) *
                            (method.algorithm.conventional ? method.algorithm.substeps : 1);
  }
  return finished;
}

MethodResult run(const Problem& problem, const Method& method, const Observation& observation, const Control& control) {
  MethodState state;
  if (!resume(problem, method, observation, control, state)) throw Interrupted();
  return std::move(state.total);
}

}  // namespace sde::ensemble
