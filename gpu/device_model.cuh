// make_device_model<L>(): a loss's kernels for a GPU, compiled by nvcc from the same templates as the CPU's.
#pragma once

#include "cuda_device.cuh"
#include "sde/loss/check.hpp"
#include "tile.hpp"

namespace sde::gpu {

/// For LossModel::device.
template <class L>
std::shared_ptr<const DeviceModel> make_device_model(L loss) {
  if constexpr (sde::loss::Checked<L>::ok)
    return std::make_shared<DeviceModelOf<CudaDevice, L>>(std::move(loss));
  else
    return nullptr;  // and does not compile: Checked has said why
}

}  // namespace sde::gpu
