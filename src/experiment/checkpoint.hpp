// What an interrupted run leaves behind, to go on from with the same bits.
#pragma once

#include <filesystem>

#include "experiment.hpp"
#include "sde/verify/paired.hpp"

namespace sde::experiment {

/// How far a run has come.
struct RunState {
  std::vector<ensemble::MethodState> methods;  ///< one for each, those after the one in hand empty
  std::vector<verify::PairedResult> pairs;     ///< those that are complete

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& methods& pairs;
  }
};

/// Writes by write_file. Throws IoError.
void save_checkpoint(const std::filesystem::path& file, const Experiment& experiment, const RunState& state);

/// The state saved by save_checkpoint. Throws InputError where the file is missing or damaged, or belongs to another
/// experiment, seed, setting or version.
RunState load_checkpoint(const std::filesystem::path& file, const Experiment& experiment);

}  // namespace sde::experiment
