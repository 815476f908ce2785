// A discrete algorithm: settings that all have, and its type, which says what distinguishes it. One type, one file
// (sgd.hpp, local_sgd.hpp, ...); algorithms.hpp lists them, and everything else follows from the list: the keys of an
// experiment file, the kernels for CPU and GPU, where paths are observed, the slow SDE, `sde list`.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sde/core/keys.hpp"
#include "sde/discrete/schedule.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {
struct MovingMetric;
}

namespace sde::discrete {

class AlgorithmType;
struct Algorithm;

/// Local steps up to the next synchronization of the workers.
struct Round {
  int workers = 1;
  std::int64_t steps = 1;
  bool synchronizes = true;  ///< false: nothing is done at its end, so it may be cut anywhere
};

/// How noise is drawn: as the algorithm does, or (the conventional SDE, theory.md section 5) as Gaussian increments of
/// the same covariance, of which `substeps` make one step of the algorithm.
struct Increments {
  bool conventional = false;
  int substeps = 1;
  bool two_point = false;  ///< increments are +-1 instead of Gaussian: the weak order is kept
  int coarsening = 1;      ///< each Gaussian draw is the normalized sum of this many of an algorithm with shorter steps
};

/// Slow time of a local step by its learning rate.
struct SlowTimeOfStep {
  double factor;
  double operator()(double eta) const { return eta * eta * factor; }
};

/// Plain values. check(*this) says whether they make sense together.
struct Algorithm {
  const AlgorithmType* type = default_type();
  LearningRate rate;
  Synchronization sync;
  int workers = 1;  ///< K
  int batch = 1;    ///< B = K B_loc
  std::uint64_t seed = 0;
  int first_worker = 0;  ///< whose draws the first worker has: another where one worker alone is run again
  Increments increments;
  std::vector<double> parameters;  ///< the type's own, in an order that the type knows

  /// The round that begins at local step k.
  Round round(std::int64_t k) const;
  /// H at step k. During warm-up it is that of the first round after it, as in the QSR paper: a rate near 0 would make
  /// one endless round of the start.
  std::int64_t H(std::int64_t k) const { return sync(k, rate(std::max(k, rate.warmup))); }
  /// H, but a schedule's last round ends with the schedule.
  std::int64_t round_length(std::int64_t k) const {
    return rate.is_constant() ? H(k) : std::clamp<std::int64_t>(rate.steps - k, 1, H(k));
  }
  /// Steps from k on until the path may be observed: to the end of the round, or one where nothing is done there.
  std::int64_t steps_to_observation(std::int64_t k) const {
    const Round r = round(k);
    return r.synchronizes ? r.steps : 1;
  }
  /// The same of every round under constant schedules.
  std::int64_t steps_in_round() const { return steps_to_observation(0); }
  /// How often workers communicate in so many steps: once at the end of each round, and at each step that has none
  /// (SGD's, whose batch they share).
  std::int64_t communication_rounds(std::int64_t steps) const;
  /// H of the last rounds at the peak learning rate: what tables print.
  std::int64_t peak_steps_in_round() const;
  /// Slow time of a local step at learning rate `eta`.
  double slow_time(double eta) const;
  /// The same as a function, for loops over steps: what the type is asked for is asked once.
  SlowTimeOfStep slow_time_of_step() const;
  /// Whether all rounds are alike.
  bool steady() const { return rate.is_constant() && sync.switch_step == 0; }

  static const AlgorithmType* default_type();  ///< local_sgd
};

/// What distinguishes an algorithm. Objects of these classes are constants without state.
class AlgorithmType {
 public:
  virtual ~AlgorithmType() = default;
  /// In files: kind = "local_sgd", and in the names of its slow SDEs: "slow_local_sgd".
  virtual const char* name() const = 0;
  virtual const char* description() const = 0;  ///< for `sde list`
  /// In tables and figures, where the user gives no name: "Local SGD, H = 20".
  virtual std::string label(const Algorithm&) const = 0;

  /// Asks for the keys of its own, beside those of all (learning rate, workers, batch, seed). `limit`: for its slow
  /// SDE, keys which that does not depend on may be missing. Throws InputError.
  virtual void read(Keys&, Algorithm&, bool limit) const = 0;
  /// Sets what depends on the number of steps, once that is known.
  virtual void set_steps(Algorithm&) const {}
  /// Throws InputError where the settings are not this algorithm's; those of all have been checked.
  virtual void check(const Algorithm&) const {}

  virtual Round round(const Algorithm&, std::int64_t k) const = 0;
  /// Stochastic gradients of a path in its first `steps` local steps.
  virtual double gradients(const Algorithm& a, std::int64_t steps) const {
    return static_cast<double>(steps) * a.workers;
  }

  /// Its slow SDE at local step k: B, K, alpha = eta H, and H.
  virtual slow::Parameters slow_sde(const Algorithm&, std::int64_t k) const = 0;
  /// The slow SDE that stands beside it where a limit describes it better (QSR: of long rounds, alpha = infinity).
  virtual slow::Parameters limit_sde(const Algorithm& a, std::int64_t k) const { return slow_sde(a, k); }
  /// eta lambda up to which fluctuations across Gamma die out, where the theory's matrices say so (section 9).
  virtual double stable_below(const Algorithm&) const { return std::numeric_limits<double>::infinity(); }
  /// The metric in which its slow SDE lives, where that is not the plain one (section 10). Throws InputError where
  /// there is no slow SDE.
  virtual std::optional<slow::MovingMetric> metric(const Algorithm&) const;
  /// Whether there is one (an adaptive method). Then set_noise() has to be called before anything runs: with the
  /// diagonal of Sigma, of one sample, at the start.
  virtual bool in_metric() const { return false; }
  virtual void set_noise(Algorithm&, const std::vector<double>& diagonal) const { (void)diagonal; }
  /// Weights of the vectors that a path keeps beside its position (StateShape, in double), in their order, after `step`
  /// local steps, an end of rounds: the slow variable, l . z of theory.md section 9, is the position and their weighted
  /// sum. Empty where it is the position alone: where momenta are still to move that, or iterates of other steps count,
  /// it lags by the steps that they last, and has less of the variance along Gamma.
  ///
  /// Of an adaptive method the sum counts in its metric, times S = diag(1/(v^power + epsilon)) there.
  virtual std::vector<double> slow_variable(const Algorithm&, std::int64_t step) const {
    (void)step;
    return {};
  }
  /// Slow time of a local step over eta^2.
  virtual double slow_time_factor(const Algorithm&) const { return 1; }

  /// Whether theory.md section 5 gives it a conventional SDE.
  virtual bool has_conventional_sde() const { return true; }

  // The update rule of the step loop (round_loop.hpp) is a class `Rule`, made by `static Rule rule(const Algorithm&)`.
};

/// Throws InputError, which names the field, what was expected and what came.
void check(const Algorithm&);
/// The InputError of a field of an Algorithm.
[[noreturn]] void refuse(const char* field, const std::string& expected, std::int64_t got);
/// A number as short as it reads back.
std::string shortest(double);

inline Round Algorithm::round(std::int64_t k) const { return type->round(*this, k); }
inline SlowTimeOfStep Algorithm::slow_time_of_step() const { return {type->slow_time_factor(*this)}; }
inline double Algorithm::slow_time(double eta) const { return slow_time_of_step()(eta); }

}  // namespace sde::discrete
