// What `sde verify` prints: a table for people, JSON for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "../claims/wrong_term.hpp"
#include "verify_plan.hpp"

namespace sde::cli {

struct Run {
  std::string budget;
  claims::Setting setting;
  std::vector<claims::Outcome> outcomes;
  double seconds;
  std::vector<claims::TermReport> terms;  ///< of the methods where something disagrees
};

/// "claims 3, 7 on hyperbola; chain, not applicable: ...": a line for each reason.
std::vector<std::string> reasons(const std::vector<NotMeasured>&);

void print_table(const Run&, const claims::Report&, const Plan&);
nlohmann::json to_json(const Run&, const claims::Report&, const Plan&);

}  // namespace sde::cli
