// [verify.comparison] of an experiment file, a table or several: what its methods are expected to be beside each other
// (claims 10 to 12: when does it generalize better).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sde::experiment {

struct Comparison {
  enum class Expect {
    better,      ///< what is observed lies below the baseline's by the margin
    no_better,   ///< not below it by more than the margin
    alike,       ///< within the margin of the baseline's
    predicted,   ///< the same; the baseline is the slow SDE or ODE of the method's own group
    one_curve,   ///< within the margin of the baseline's, a slow SDE's or ODE's, after time times a predicted factor
    same_ratio,  ///< over the baseline's, within the margin of another such ratio
  };
  /// Of methods, by their number.
  struct Pair {
    std::size_t baseline, method;
    std::size_t theory = 0;  ///< of one_curve: the slow SDE or ODE that predicts the method's factor
  };
  struct Ratio {
    std::size_t over = 0, under = 0;
  };
  int claim = 10;
  Expect expect = Expect::better;
  std::vector<Pair> pairs;
  Ratio ratio;  ///< of same_ratio: the other one
  std::vector<std::string> observables;
  double margin = 0.05;       ///< of the baseline's mean, or `absolute`: in the observable's own units
  bool absolute = false;      ///< not the ratio is compared, but the difference
  bool at_all_times = false;  ///< of observation, after the start; else at `times`
  std::vector<double> times;  ///< slow times asked for; none: the end
  double fraction = 0.5;      ///< of one_curve: the share of the baseline's change whose times give the factor
};

/// Number of the observation at slow time `time` among those asked for (ascending); their number where there is none.
std::size_t observation_at(const std::vector<double>& observed, double time);

}  // namespace sde::experiment
