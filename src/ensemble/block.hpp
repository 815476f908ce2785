// The paths of one block on the CPU, from where its state stands to the end or to an interruption.
#pragma once

#include "observer.hpp"
#include "sde/ensemble/parallel.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

class BlockRunner {
 public:
  BlockRunner(const Problem& problem, const Method& method, const Observation& observation, const Timeline& timeline,
              const SlowClock& clock, const std::atomic<bool>* interrupted, std::function<bool()> pause = {})
      : problem_(problem),
        method_(method),
        observation_(observation),
        timeline_(timeline),
        interrupted_(interrupted),
        pause_(std::move(pause)),
        dim_(problem.model->dim()),
        stepper_(method.dynamics->stepper({problem, method, timeline, clock, interrupted})),
        observe_(problem, method, observation, clock) {}

  /// Returns false where it was interrupted, or is to pause: that after an interval at least, so that whoever pauses
  /// however often comes to an end.
  bool operator()(long b, BlockState& s);

 private:
  void start(BlockState& s) const;
  void observe(BlockState& s, long group, int lane, bool failed);
  /// How a lane left the domain, from its state and that of one round earlier.
  std::string where_it_left(const std::vector<double>& x, const std::vector<double>& before, int lane) const;

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  const std::function<bool()> pause_;
  const int dim_;
  std::unique_ptr<Stepper> stepper_;
  Observer observe_;
  Vector theta_;
  std::vector<double> before_;  ///< state of the paths in hand at their last observation
};

}  // namespace sde::ensemble
