// The kernels of the instruction set that this processor has.
#pragma once

#include <string>

#include "kernel_table.hpp"

namespace sde {

/// The module in use, loaded at the first call: the widest that the processor runs, or the one that the environment
/// variable SDE_KERNELS names. Throws InputError (unknown name, not for this processor) and IoError (a module
/// that is not where it was built or installed).
const KernelTable& kernels();

/// Its name, e.g. "x86-64-v4".
std::string kernel_level();

}  // namespace sde
