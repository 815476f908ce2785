// What `sde verify` is asked: claims on cases of the shipped table, or on an experiment file's own problem.
#pragma once

#include <functional>
#include <optional>

#include "../claims/report.hpp"
#include "../experiment/experiment.hpp"

namespace sde::cli {

struct VerifyQuestion {
  std::vector<std::string> words;  ///< numbers of claims, and a file
  std::vector<std::string> losses, set, margins;
  bool all = false;
};

/// What is not measured, and why: a claim on a case, or a quantity of it.
struct NotMeasured {
  const claims::Claim* claim;  ///< nullptr: no claim
  std::string name, quantity, reason;
};

struct Plan {
  std::vector<claims::Task> tasks;
  std::vector<NotMeasured> not_measured;
  std::optional<experiment::Experiment> experiment;  ///< of a file; of a sweep its first cell, with the sweep's source
  std::string swept;                                 ///< along what its cells stand in a figure; empty without a sweep
};

/// "1, 2, 3, ..."
std::string claim_numbers();

/// `setting` is asked for when the question has turned out to make sense, and the short runs of a file's experiment
/// (else nullptr) are due. Throws InputError and ensemble::Interrupted.
using AskSetting = std::function<claims::Setting(const experiment::Experiment*)>;
Plan plan_of(const VerifyQuestion&, const AskSetting& setting);

}  // namespace sde::cli
