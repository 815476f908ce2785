// What an interrupted run leaves behind, to go on from with the same bits.
#pragma once

#include <filesystem>

#include "experiment.hpp"

namespace sde::experiment {

/// Writes the states of the methods run so far (the last one unfinished) by write_file. Throws IoError.
void save_checkpoint(const std::filesystem::path& file, const Experiment& experiment,
                     const std::vector<ensemble::MethodState>& states);

/// The states saved by save_checkpoint. Throws InputError where the file is missing or damaged, or belongs to another
/// experiment, seed, setting or version.
std::vector<ensemble::MethodState> load_checkpoint(const std::filesystem::path& file, const Experiment& experiment);

}  // namespace sde::experiment
