// An experiment file, validated: everything that can be wrong with it is said before anything runs.
#pragma once

#include <filesystem>

#include "comparison.hpp"
#include "recorded_keys.hpp"
#include "sde/core/error.hpp"
#include "sde/ensemble/method.hpp"
#include "verify_section.hpp"

namespace sde::experiment {

struct Experiment {
  std::string file;  ///< as it was named
  std::string name;  ///< of the file, without its ending: names the outputs
  std::string title;
  std::string source;  ///< the whole file with overrides applied, as TOML
  std::string loss_name, noise_text;
  std::uint64_t seed = 1;
  long pairs = 0;          ///< paths of each algorithm beside its slow SDEs on common noise; 0: none
  double max_lost = 0.01;  ///< fraction of lost paths above which the run fails
  ensemble::Problem problem;
  ensemble::Observation observation;
  std::vector<ensemble::Method> methods;
  std::vector<KeyValues> settings;  ///< of each method
  /// [method] slow times at which to ask for observations: those of `observation`, or the ends of the rounds of the
  /// algorithm that a slow SDE stands beside.
  std::vector<std::vector<double>> times;
  VerifySettings verify;
  std::vector<Comparison> comparisons;  ///< what `sde verify` expects of the methods beside each other
  std::vector<std::string> notes;       ///< what the user should know: keys without effect
  std::vector<std::string> repeated;    ///< the same of a run: methods with fewer times than observations
  bool swept = false;                   ///< the file has a [sweep] (sweep.hpp), of which nothing is in here
};

/// A file as it was when it was read: the cells of a sweep are all of one text.
struct FileText {
  std::filesystem::path path;
  std::string text;
};
/// Throws InputError where there is no such file.
FileText read_text(const std::filesystem::path& file);

/// Reads a file with `--set` overrides ("training.eta=0.02", "method.1.H=5"). Throws InputError.
Experiment load(const FileText& file, const std::vector<std::string>& overrides);
Experiment load(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// What is observed of method number `method`, and when.
ensemble::Observation observation_of(const Experiment&, std::size_t method);

}  // namespace sde::experiment
