// Errors that the command line turns into exit codes, beside those of a device (model/device_model.hpp).
#pragma once

#include <stdexcept>

namespace sde {

/// Bad usage or input (exit code 2): the message names place, key, expectation and the nearest valid name.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Input/output failure (exit code 4).
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace sde
