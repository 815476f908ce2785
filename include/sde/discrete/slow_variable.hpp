// What of an algorithm's state is slow. Of one without memory it is the position; where momenta are still to move it,
// or iterates of other steps count, the position lags behind l . z (theory.md section 9) by the steps that they last,
// and has less of the variance along Gamma.
#pragma once

#include <vector>

#include "sde/discrete/algorithm.hpp"

namespace sde::discrete {

/// Weights of the vectors that a path keeps beside its position (StateShape, in double), in their order: the slow
/// variable is the position and their weighted sum. Of the state after `step` local steps, an end of rounds. Empty
/// where it is the position alone.
///
/// Of an adaptive method the sum counts in its metric, times S = diag(1/(v^power + epsilon)) there: what is still to
/// come of m moves x by -eta S beta1/(1 - beta1) m.
std::vector<double> slow_variable(const Algorithm&, std::int64_t step);

}  // namespace sde::discrete
