// Learning-rate and synchronization schedules: pure functions of the step number.
#pragma once

#include <cstdint>
#include <vector>

namespace sde::discrete {

/// eta as a function of the local step k of `steps`. After a linear warm-up from 0 over `warmup` steps:
///   constant  eta;   step  eta * factor^(number of milestones passed);   linear  from eta to floor*eta;
///   cosine    from eta to floor*eta along half a cosine.
/// Milestones are fractions of `steps`.
struct LearningRate {
  enum class Kind { constant, step, cosine, linear };
  Kind kind = Kind::constant;
  double eta = 0.01;
  std::int64_t steps = 1;
  std::int64_t warmup = 0;
  double floor = 0;
  double factor = 0.1;
  std::vector<double> milestones;

  double operator()(std::int64_t k) const;
  bool is_constant() const { return kind == Kind::constant && warmup == 0; }
  /// Sum of eta^2 over all steps: the slow time reached.
  double slow_time() const;
  /// Sets `steps` so that slow_time() reaches `time`, to one step. Throws std::invalid_argument where that takes more
  /// than kMostSteps, or with a rate that changes kMostChanging.
  void fit_steps(double time);
  static constexpr double kMostSteps = 2e10;
  static constexpr double kMostChanging = 2e8;  // each is summed when the experiment is read
};

/// Local steps per round H at step k with learning rate eta.
///   constant  H;   inverse  max(H, floor(beta/eta));   qsr  max(H, floor((beta/eta)^2)), at most 1e9
/// Before `switch_step` the algorithm is SGD (post-local SGD).
struct Synchronization {
  enum class Kind { constant, inverse, qsr };
  Kind kind = Kind::constant;
  std::int64_t H = 1;
  double beta = 0;
  std::int64_t switch_step = 0;

  bool local(std::int64_t k) const { return k >= switch_step; }
  std::int64_t operator()(std::int64_t k, double eta) const;
};

}  // namespace sde::discrete
