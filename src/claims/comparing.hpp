// Experiments whose methods are compared with each other (claims 10 to 12).
#pragma once

#include "../experiment/experiment.hpp"
#include "case.hpp"

namespace sde::claims {

/// Whether a claim is about methods beside each other.
inline bool compares(int claim) { return claim >= 10 && claim <= 12; }

/// The case of an experiment with a comparison: that claim alone is measured on it.
Case comparison_case(const experiment::Experiment&);

}  // namespace sde::claims
