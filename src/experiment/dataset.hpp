// The netCDF-4 file of a run: labelled dimensions, units, long names, and everything needed to repeat it.
#pragma once

#include <filesystem>

#include "pairs.hpp"

namespace sde::experiment {

/// `size` bytes to a temporary name in the same folder, renamed when complete. Throws IoError; leaves nothing
/// half-written.
void write_file(const std::filesystem::path& file, const char* bytes, std::size_t size);

/// Written by write_file. Throws IoError; leaves nothing half-written.
void write_dataset(const std::filesystem::path& file, const Experiment& experiment,
                   const std::vector<ensemble::MethodResult>& results, const PairResults& pairs,
                   const std::string& command_line);

}  // namespace sde::experiment
