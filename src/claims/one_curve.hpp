// Do curves over slow time become one when each one's time is multiplied by a factor that slow SDEs predict?
#pragma once

#include "compared_results.hpp"

namespace sde::claims {

/// What is asked: of one method and observable of a comparison, in one cell.
struct OneCurve {
  int claim;
  double margin;
  std::size_t cell;
  const experiment::Experiment& experiment;
  const std::string& suffix;  ///< of the row's quantity
  const experiment::Comparison& comparison;
  const experiment::Comparison::Pair& pair;
  const std::string& observable;
};

/// A row, the worst of all times, for the method's observable at time t beside the baseline's at time t times the
/// factor, as far as the baseline goes: T_0/T_1, where T is the first time at which a slow SDE's observable has made
/// `fraction` of the baseline's change, T_0 of the baseline and T_1 of the method's own slow SDE. The control leaves
/// time as it is. A note has the factor, and how far the slow SDEs themselves are from one curve. The baseline is run
/// again for the times that are asked of it: nothing is interpolated but the factor.
void one_curve(const OneCurve&, Results&, Measured&);

}  // namespace sde::claims
