// Models of the built-in losses, instantiated one to a translation unit (kernels/*.cpp): the templates compile once,
// and in parallel.
#pragma once

#include "sde/loss/models.hpp"
#include "sde/loss/toy.hpp"
#include "sde/model/model.hpp"

namespace sde {

std::shared_ptr<LossModel> model_of(loss::Valley);
std::shared_ptr<LossModel> model_of(loss::Hyperbola);
std::shared_ptr<LossModel> model_of(loss::Chain);
std::shared_ptr<LossModel> model_of(loss::Sphere);
std::shared_ptr<LossModel> model_of(loss::Ring);
std::shared_ptr<LossModel> model_of(loss::Flat);
std::shared_ptr<LossModel> model_of(loss::DiagonalNetwork);
std::shared_ptr<LossModel> model_of(loss::TanhNetwork);
std::shared_ptr<LossModel> model_of(loss::MatrixSensing);

}  // namespace sde
