// What the CUDA module gives. Like the kernel modules it is a shared object with all symbols hidden but one, loaded
// when a GPU is asked for: the program itself needs no CUDA. src/experiment/devices.cpp loads it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "../src/bench/work.hpp"
#include "losses.hpp"

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

/// What `sde bench` measures on device `ordinal` (floors.hpp). Throws DeviceUnusable.
std::vector<bench::Work> floors(int ordinal);
std::vector<bench::Work> linear_works(int ordinal);

/// A block of random words as device `ordinal` makes them. Throws DeviceUnusable.
std::array<std::uint32_t, 4> words(int ordinal, const random::StreamKey&, random::Purpose, std::uint64_t block);

struct DeviceTable {
  const char* version;  ///< of the project, and the table's size: a module of another build is refused
  unsigned long size;
  Devices (*devices)();
  std::shared_ptr<const DeviceModel> (*valley)(loss::Valley);
  std::shared_ptr<const DeviceModel> (*hyperbola)(loss::Hyperbola);
  std::shared_ptr<const DeviceModel> (*chain)(loss::Chain);
  std::shared_ptr<const DeviceModel> (*sphere)(loss::Sphere);
  std::shared_ptr<const DeviceModel> (*ring)(loss::Ring);
  std::shared_ptr<const DeviceModel> (*flat)(loss::Flat);
  std::shared_ptr<const DeviceModel> (*diagonal_network)(loss::DiagonalNetwork);
  std::shared_ptr<const DeviceModel> (*tanh_network)(loss::TanhNetwork);
  std::shared_ptr<const DeviceModel> (*matrix_sensing)(loss::MatrixSensing);
  std::array<std::uint32_t, 4> (*words)(int ordinal, const random::StreamKey&, random::Purpose, std::uint64_t block);
  std::vector<bench::Work> (*floors)(int ordinal);
  std::vector<bench::Work> (*linear_works)(int ordinal);
};

}  // namespace sde::gpu

extern "C" const sde::gpu::DeviceTable* sde_device_table();
