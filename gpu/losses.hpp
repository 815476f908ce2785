// The built-in losses on a GPU, one to a translation unit (losses/*.cu).
#pragma once

#include "sde/loss/models.hpp"
#include "sde/loss/toy.hpp"
#include "sde/model/device_model.hpp"

namespace sde::gpu {

std::shared_ptr<const DeviceModel> device_model_of(loss::Valley);
std::shared_ptr<const DeviceModel> device_model_of(loss::Hyperbola);
std::shared_ptr<const DeviceModel> device_model_of(loss::Chain);
std::shared_ptr<const DeviceModel> device_model_of(loss::Sphere);
std::shared_ptr<const DeviceModel> device_model_of(loss::Ring);
std::shared_ptr<const DeviceModel> device_model_of(loss::Flat);
std::shared_ptr<const DeviceModel> device_model_of(loss::DiagonalNetwork);
std::shared_ptr<const DeviceModel> device_model_of(loss::TanhNetwork);
std::shared_ptr<const DeviceModel> device_model_of(loss::MatrixSensing);

}  // namespace sde::gpu
