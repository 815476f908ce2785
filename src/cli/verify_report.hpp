// What `sde verify` prints: a table for people, JSON for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "../claims/report.hpp"

namespace sde::cli {

struct Plan {
  std::vector<claims::Task> tasks, not_applicable;
};

struct Run {
  std::string budget;
  claims::Setting setting;
  std::vector<claims::Outcome> outcomes;
  double seconds;
};

void print_table(const Run&, const claims::Report&, const Plan&);
nlohmann::json to_json(const Run&, const claims::Report&, const Plan&);

}  // namespace sde::cli
