// Networks on data: [loss] name = "perceptron".
#pragma once

#include "registry.hpp"

namespace sde::experiment {

/// Its name, formula and keys, for `sde list` and for messages.
const LossDescription& perceptron();
/// Reads it, with its data. Throws InputError.
NamedLoss make_perceptron(Section& loss);

}  // namespace sde::experiment
