// Models of the built-in losses, with the kernels of the module in use.
#pragma once

#include "devices.hpp"
#include "kernels.hpp"

namespace sde {

/// The CPU's model of a built-in loss, which also knows how to make the GPU's. Throws as kernels() does.
template <class L>
requires loss::BuiltIn::contains<L> std::shared_ptr<LossModel> model_of(L loss) {
  auto model = std::get<ModelMaker<L>>(kernels().models)(loss);
  model->device = [loss = std::move(loss)] { return std::get<gpu::DeviceModelMaker<L>>(cuda().models)(loss); };
  return model;
}

}  // namespace sde
