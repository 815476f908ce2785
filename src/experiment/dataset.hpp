// The netCDF-4 file of a run: labelled dimensions, units, long names, and everything needed to repeat it.
#pragma once

#include <filesystem>

#include "pairs.hpp"

namespace sde::experiment {

/// The dataset of a run. `failures` says of each method why it failed, "" where it did not; without any there is no
/// such variable. One thread at a time may call it: netCDF is not made for more.
std::string dataset_bytes(const Experiment& experiment, const std::vector<ensemble::MethodResult>& results,
                          const PairResults& pairs, const std::string& command_line,
                          const std::vector<std::string>& failures = {});

/// The same, written by write_file. Throws IoError; leaves nothing half-written.
void write_dataset(const std::filesystem::path& file, const Experiment& experiment,
                   const std::vector<ensemble::MethodResult>& results, const PairResults& pairs,
                   const std::string& command_line);

}  // namespace sde::experiment
