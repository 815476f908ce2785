// What a run on its way leaves behind, to go on from with the same bits: a state, sealed with what it belongs to and a
// checksum over every byte.
#pragma once

#include <filesystem>
#include <functional>

#include "experiment.hpp"
#include "sde/verify/paired.hpp"

namespace sde::experiment {

/// How far a run has come.
struct RunState {
  std::vector<ensemble::MethodState> methods;  ///< one for each, those after the one in hand empty
  std::vector<verify::PairedResult> pairs;     ///< those that are complete
  std::size_t pair_number = 0;                 ///< of the pair in hand
  verify::PairingState pair;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& methods& pairs& pair_number& pair;
  }
};

/// The content of a checkpoint.
struct Sealed {
  std::string program;   ///< version, and how its states are laid out
  std::string settings;  ///< SHA-1 of what the state belongs to (hash_of)
  std::string state;
};
/// 20 bytes.
std::string hash_of(const std::string& settings);
/// As bytes of a file: a mark, the format's number, sizes and hash, a SHA-1 over all of them and over the content.
std::string seal(const Sealed&);
/// Throws InputError where a byte is not what seal() wrote, or some are missing or too many; takes no more memory than
/// the content.
Sealed unseal(const std::string& bytes);

/// Seals the state of a program of this version, and writes it by replace_file: the checkpoint before stays. Throws
/// IoError.
void save_state(const std::filesystem::path& file, const std::string& settings, const std::string& state);

/// The state saved by save_state. Where the file is missing or damaged, that before it, which takes its name; `say` is
/// told. Throws InputError where there is no sound one, or it belongs to other settings or another version.
std::string load_state(const std::filesystem::path& file, const std::string& settings,
                       const std::function<void(const std::string&)>& say);

/// Whether there is a checkpoint, or one before it.
bool has_state(const std::filesystem::path& file);
/// Both.
void remove_state(const std::filesystem::path& file);

/// save_state and load_state of a run.
void save_checkpoint(const std::filesystem::path& file, const Experiment& experiment, const RunState& state);
RunState load_checkpoint(
    const std::filesystem::path& file, const Experiment& experiment,
    const std::function<void(const std::string&)>& say = [](const std::string&) {});

}  // namespace sde::experiment
