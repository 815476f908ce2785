// When the methods of an experiment are observed: a slow SDE beside an algorithm at the ends of that one's rounds.
#pragma once

#include "experiment.hpp"

namespace sde::experiment {

/// Sets Experiment::times from the methods, their groups and the times asked for, and Experiment::repeated.
void set_times(Experiment&);

}  // namespace sde::experiment
