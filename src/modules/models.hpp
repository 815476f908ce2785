// Models of the built-in losses, with the kernels of the module in use.
#pragma once

#include "devices.hpp"
#include "kernels.hpp"
#include "sde/core/error.hpp"

namespace sde {

/// A built-in loss that CMake's SDE_COMPILED_LOSSES leaves out.
struct LossLeftOut : InputError {
  explicit LossLeftOut(const std::string& name)
      : InputError(name + ": this build has no kernels of it (CMake's SDE_COMPILED_LOSSES)") {}
};

/// The CPU's model of a built-in loss, which also knows how to make the GPU's. Throws as kernels() does, and
/// LossLeftOut.
template <class L>
requires loss::BuiltIn::contains<L> std::shared_ptr<LossModel> model_of(L loss) {
  if constexpr (loss::Compiled::contains<L>) {
    auto model = std::get<ModelMaker<L>>(kernels().models)(loss);
    model->device = [loss = std::move(loss)] { return std::get<gpu::DeviceModelMaker<L>>(cuda().models)(loss); };
    return model;
  } else {
    throw LossLeftOut(L::name);
  }
}

}  // namespace sde
