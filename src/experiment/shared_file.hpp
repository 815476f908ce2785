// Files that come with the program.
#pragma once

#include <filesystem>
#include <string>

namespace sde::experiment {

/// share/sde/NAME in $SDE_SHARE, beside the program, in the installation, or, where it was not installed, `source`.
/// Throws IoError where it is in none.
std::filesystem::path shared_file(const std::string& name, const std::filesystem::path& source);

}  // namespace sde::experiment
