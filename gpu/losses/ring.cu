#include "../device_model.cuh"
#include "../losses.hpp"

namespace sde::gpu {
std::shared_ptr<const DeviceModel> device_model_of(loss::Ring loss) { return make_device_model(std::move(loss)); }
}  // namespace sde::gpu
