#include "../src/modules/device_table.hpp"

#include <cuda_runtime.h>

#include "floors.hpp"
#include "sde/version.hpp"

namespace sde::gpu {

template <class L>
std::shared_ptr<const DeviceModel> make_device_model(L loss);  // instantiated in each loss's own file (loss.cu.in)

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
      sde::kVersion,
      sizeof(DeviceTable),
      devices,
      sde::loss::Compiled::tuple<DeviceModelMaker>([]<class L>() -> DeviceModelMaker<L> { return make_device_model; }),
      words,
      floors,
      linear_works};
  return &table;
}
