// The same loss on a GPU, from the same template.
#include "device_model.cuh"
#include "my_loss.hpp"

std::shared_ptr<const sde::DeviceModel> my_loss_on_gpu() { return sde::gpu::make_device_model(MyLoss{}); }
