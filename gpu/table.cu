#include "table.hpp"

#include <cuda_runtime.h>

#include "sde/version.hpp"

namespace sde::gpu {

namespace {

std::string dotted(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

Devices devices() {
  Devices found;
  int runtime = 0, driver = 0, count = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&driver);
  found.versions = "runtime " + dotted(runtime) + ", driver " + (driver > 0 ? dotted(driver) : "none");
  if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    found.problem = driver == 0 ? "no NVIDIA driver is installed" : cudaGetErrorString(status);
    return found;
  }
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp p;
    if (cudaGetDeviceProperties(&p, i) == cudaSuccess)
      found.all.push_back({p.name, p.major, p.minor, p.multiProcessorCount, p.totalGlobalMem});
  }
  if (found.all.empty()) found.problem = "no CUDA device";
  return found;
}

}  // namespace

}  // namespace sde::gpu

extern "C" __attribute__((visibility("default"))) const sde::gpu::DeviceTable* sde_device_table() {
  using namespace sde::gpu;
  static const DeviceTable table{
      sde::kVersion,   sizeof(DeviceTable), devices,         device_model_of, device_model_of,
      device_model_of, device_model_of,     device_model_of, device_model_of, device_model_of,
      device_model_of, device_model_of,     words,           floors,          linear_works};
  return &table;
}
