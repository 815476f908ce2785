// Two-layer tanh networks with squared loss on data of two kinds: [loss] name = "tanh_on_data". They keep residuals, so
// they have a slow SDE.
#pragma once

#include "registry.hpp"
#include "sde/loss/tanh_network.hpp"

namespace sde::experiment {

/// Its name, formula and keys, for `sde list` and for messages.
const LossDescription& tanh_on_data();
/// The loss and its start, with what [loss] says of its data. Throws InputError.
loss::WithStart<loss::TanhNetwork> read_tanh_on_data(Section& loss);
NamedLoss make_tanh_on_data(Section& loss);

}  // namespace sde::experiment
