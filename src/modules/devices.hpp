// The GPUs of this machine, and what --device chooses of them.
#pragma once

#include <string>

#include "device_table.hpp"

namespace sde {

/// Whether this build has the CUDA module.
bool built_for_cuda();

/// The CUDA module, loaded at the first call. Throws DeviceUnusable where this build has none, and IoError.
const gpu::DeviceTable& cuda();

/// The number of the CUDA device that `text` names, -1 for the CPU: "cpu", "cuda" (device 0), "cuda:N", or "auto",
/// which is the first device where there is one. Of several ranks on a node, `rank` being this one's number there, each
/// has another device by "cuda" and "auto", round and round. Throws InputError (no such name) and DeviceUnusable (no
/// such device).
int device_named(const std::string& text, int rank = 0);

/// One line for a person: the device, or why there is none.
std::string device_line(int device);

}  // namespace sde
