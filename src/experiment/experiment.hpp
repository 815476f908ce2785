// An experiment file, validated: everything that can be wrong with it is said before anything runs.
#pragma once

#include <filesystem>

#include "registry.hpp"
#include "sde/ensemble/method.hpp"
#include "verify_section.hpp"

namespace sde::experiment {

struct Experiment {
  std::string name;  ///< of the file, without its ending: names the outputs
  std::string title;
  std::string source;  ///< the whole file with overrides applied, as TOML
  std::string loss_name, noise_text;
  std::uint64_t seed = 1;
  double max_lost = 0.01;  ///< fraction of lost paths above which the run fails
  ensemble::Problem problem;
  ensemble::Observation observation;
  std::vector<ensemble::Method> methods;
  /// [method] slow times at which to ask for observations: those of `observation`, or the ends of the rounds of the
  /// algorithm that a slow SDE stands beside.
  std::vector<std::vector<double>> times;
  VerifySettings verify;
  std::vector<std::string> notes;     ///< what the user should know: keys without effect
  std::vector<std::string> repeated;  ///< the same of a run: methods with fewer times than observations
};

/// Reads a file with `--set` overrides ("training.eta=0.02", "method.1.H=5"). Throws InputError.
Experiment load(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// What is observed of method number `method`, and when.
ensemble::Observation observation_of(const Experiment&, std::size_t method);

/// Reads one [noise] table or several [[noise]] (a sum) for a loss.
Noise read_noise(std::vector<Section> sections, const LossModel& model);

/// Adds "key=value" to a table; dots descend, numbers index arrays, from 0. The value is TOML, or text if it is not.
/// Throws InputError.
void assign(toml::table& table, const std::string& assignment);

}  // namespace sde::experiment
