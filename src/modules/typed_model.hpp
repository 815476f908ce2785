// The model of a formula: interpreted at first, its kernels compiled ones as soon as there are such.
#pragma once

#include "typed_module.hpp"

namespace sde {

/// `squared`: of residuals. Throws as kernels() does.
std::shared_ptr<LossModel> typed_model(std::shared_ptr<const formula::BoundLoss> bound, bool squared);

}  // namespace sde
