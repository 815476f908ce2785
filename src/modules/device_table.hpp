// What the CUDA module gives. Like the kernel modules it is a shared object with all symbols hidden but one, loaded
// when a GPU is asked for: the program itself needs no CUDA. devices.cpp loads it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sde/loss/built_in.hpp"
#include "sde/model/device_model.hpp"
#include "work.hpp"

namespace sde::gpu {

struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  std::size_t memory = 0;  ///< bytes
};

struct Devices {
  std::vector<DeviceProperties> all;
  std::string problem;   ///< CUDA's words where there is none
  std::string versions;  ///< of the runtime and the driver
};

template <class L>
using DeviceModelMaker = std::shared_ptr<const DeviceModel> (*)(L);

struct DeviceTable {
  const char* version;  ///< of the project, and the table's size: a module of another build is refused
  unsigned long size;
  Devices (*devices)();
  loss::Compiled::Tuple<DeviceModelMaker> models;
  /// A block of random words as device `ordinal` makes them. Throws DeviceUnusable, as the next two.
  std::array<std::uint32_t, 4> (*words)(int ordinal, const random::StreamKey&, random::Purpose, std::uint64_t block);
  /// What `sde bench` measures on device `ordinal`.
  std::vector<bench::Work> (*floors)(int ordinal);
  std::vector<bench::Work> (*linear_works)(int ordinal);
};

}  // namespace sde::gpu

extern "C" const sde::gpu::DeviceTable* sde_device_table();
