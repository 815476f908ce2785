#include <utility>

#include "block.hpp"
#include "device_run.hpp"
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

/// Goes on block by block on the CPU's threads.
bool resume_on_cpu(const Problem& problem, const Method& method, const Observation& observation, const Control& control,
                   const Timeline& timeline, const SlowClock& clock, MethodState& state) {
  const long blocks = block_count(method);
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
  return finished;
}

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
  if (state.merged == 0) state.total = MethodResult(problem, observation, timeline.slow_time);
  const bool on_device = control.device >= 0 && runs_on_device(problem, method);
  const bool finished =
      on_device ? resume_on_device(problem, method, observation, control, timeline, clock, state)
                : resume_on_cpu(problem, method, observation, control, timeline, clock, state);
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
