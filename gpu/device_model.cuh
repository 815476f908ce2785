// make_device_model<L>(): a loss's kernels for a GPU, compiled by nvcc from the same templates as the CPU's.
#pragma once

#include "cuda_device.cuh"
#include "tile.hpp"

namespace sde::gpu {

/// For LossModel::device.
template <class L>
std::shared_ptr<const DeviceModel> make_device_model(L loss) {
  return std::make_shared<DeviceModelOf<CudaDevice, L>>(std::move(loss));
}

}  // namespace sde::gpu
