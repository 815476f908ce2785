// Losses typed in an experiment file: [loss] formula, residual or residuals.
#pragma once

#include "registry.hpp"

namespace sde::experiment {

/// Whether [loss] is a formula, and not the name of a built-in loss.
bool is_formula(const Section& loss);
/// Reads it. Throws InputError.
NamedLoss make_formula(Section& loss);

}  // namespace sde::experiment
