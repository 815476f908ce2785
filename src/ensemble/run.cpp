#include <utility>

#include "block.hpp"
#include "device_run.hpp"
#include "sde/ensemble/groups.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::ensemble {

void Problem::project_start() {
  check_start(*this);
  start_on_gamma = start;
  if (model->at_points()) {
    interpolating = false;
    return;
  }
  manifold::FlowMap flow(*model);
  flow(start_on_gamma.data());
  interpolating = flow.interpolating();
}

std::unique_ptr<slow::PointTerms> Problem::terms() const {
  if (interpolating) return model->residual_terms(noise);
  if (auto terms = model->hessian_terms(noise)) return terms;
  return std::make_unique<slow::DenseGeometry>(*model, noise);
}

namespace {

/// Goes on block by block on the CPU's threads.
bool resume_on_cpu(const Problem& problem, const Method& method, const Observation& observation, const Control& control,
                   const Timeline& timeline, const SlowClock& clock, MethodState& state) {
  const long blocks = blocks_of(method.paths);
  struct Outcome {
    BlockState block;
    bool finished = false;
  };
  std::atomic<bool> moved{false};  // some block, since the last pause
  const auto begun = state.begun;  // as it stood: what is merged changes it
  const auto before = [&](long g) {
    const auto found = begun.find(g);
    return found == begun.end() ? nullptr : &found->second;
  };
  try {
    over_groups<GroupState>(
        control, state.merged, blocks,
        [&](long g) {
          GroupState group;
          if (const auto* known = before(g)) group.merged = known->merged, group.part = known->part;
          return group;
        },
        [&](long b) {
          Outcome o;
          const long g = b / kGroupBlocks;
          const auto* known = before(g);
          if (known && b - g * kGroupBlocks < known->merged) return Outcome{{}, true};
          if (known && known->unfinished.contains(b))
            o.block = known->unfinished.at(b);
          else if (control.stopping() || (moved && control.pausing()))
            return o;
          o.finished = BlockRunner(problem, method, observation, timeline, clock, control.interrupted, control.pause)(
              b, o.block);
          moved = true;
          return o;
        },
        [&](GroupState& group, long b, Outcome o) {
          const long number = b % kGroupBlocks;
          if (number < group.merged) return true;
          if (o.finished && number == group.merged) {
            if (state.total.samples_full()) o.block.part.drop_samples();
            if (group.merged++ == 0)
              group.part = std::move(o.block.part);
            else
              group.part.merge(o.block.part);
          } else if (o.block.done > 0 || o.block.time > 0) {
            group.unfinished.emplace(b, std::move(o.block));
          }
          return o.finished;
        },
        [&](long g, GroupState group) { state.add(g, std::move(group), blocks); });
  } catch (const Interrupted&) {
    return false;
  }
  return true;
}

}  // namespace

bool resume(const Problem& problem, const Method& method, const Observation& observation, const Control& control,
            MethodState& state) {
  check(problem);
  check(problem, method);
  check(problem, observation);
  Timeline timeline;
  if (method.dynamics->in_rounds())
    timeline = observe_at_rounds(method.algorithm, observation.times);
  else
    timeline.slow_time = observation.times;
  const SlowClock clock(method);
  if (state.merged == 0) state.total = MethodResult(problem, observation, timeline.slow_time);
  const bool on_device = control.device >= 0 && runs_on_device(problem, method);
  const bool finished = on_device ? resume_on_device(problem, method, observation, control, timeline, clock, state)
                                  : resume_on_cpu(problem, method, observation, control, timeline, clock, state);
  if (finished && method.dynamics->in_rounds())
    state.total.gradients =
        method.dynamics->gradients(method, timeline.steps.back()) * static_cast<double>(method.paths);
  return finished;
}

MethodResult run(const Problem& problem, const Method& method, const Observation& observation, const Control& control) {
  MethodState state;
  if (!resume(problem, method, observation, control, state)) throw Interrupted();
  return std::move(state.total);
}

}  // namespace sde::ensemble
