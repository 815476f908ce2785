// What is known of an experiment file's problem and one of its algorithms before its claims are measured.
#pragma once

#include "measuring.hpp"

namespace sde::claims {

/// An algorithm with constant schedules, in numbers. SGD: K = 1.
struct Own {
  double eta;
  int workers, batch;
  long H;
  double alpha() const { return workers == 1 ? 0 : eta * static_cast<double>(H); }
  double round() const { return static_cast<double>(H) * eta * eta; }  ///< slow time
};

/// Of a function over the pilot's slow time.
struct Signal {
  double change = 0;   ///< the slow SDE's mean change
  double drift_2 = 0;  ///< what drift-II adds to it
  double limit = 0;    ///< what the limit's drift-II adds to it
  double noise = 0;    ///< standard deviation of algorithm minus slow SDE on common noise
  double single = 0;   ///< of the algorithm's increment alone, less its martingale
  double spread = 0;   ///< standard deviation of the algorithm
};

struct Pilot {
  double time = 0, dt = 0;                ///< slow time of a comparison, and the SDE's largest step
  double lambda_min = 0, lambda_max = 0;  ///< at the start
  std::vector<Signal> signals;
  bool diffuses = false, additional_drift = false;
};

/// 64 paths with a seed of their own. `time`: of the experiment.
Pilot pilot_of(const Setting&, const Case&, const Own&, double time, const std::vector<verify::TestFunction>&);

/// Gradient evaluations that one path is worth over slow time `time` at `eta`, with so many slow SDEs beside it: a step
/// of theirs is counted as 20 evaluations, and an evaluation by its arithmetic, that of the ring being 1.
double work_of_path(const ensemble::Problem&, double eta, int workers, double time, double dt, int predictions);

/// What a run may cost at effort 1: some seconds on two cores.
inline constexpr double kWork = 2e8;

/// Paths for an interval of +- margin/12 around a mean of standard deviation noise/scale (more than it needs: a
/// pilot knows the noise roughly, and controls ask for 5 standard errors), as many as kWork allows, at least 64.
long paths_for(double noise, double scale, double margin, double work_of_path);

}  // namespace sde::claims
