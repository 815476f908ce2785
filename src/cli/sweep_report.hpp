// What `sde run` prints of a sweep.
#pragma once

#include <nlohmann/json.hpp>

#include "../experiment/cell_file.hpp"
#include "../experiment/sweep.hpp"

namespace sde::cli {

struct SweepReport {
  std::string title, dataset;  ///< the dataset's file
  std::string gamma;           ///< what it is like at the start; empty where the cells differ in that
  const experiment::Sweep& sweep;
  const std::vector<experiment::CellSummary>& cells;
  std::vector<std::string> runs;  ///< names of the methods
};

/// A row for each cell and method: the swept keys, tr Hess at the end with its 95% interval.
void print_table(const SweepReport&);
/// The same for programs, with every observable at the end.
nlohmann::json to_json(const SweepReport&);
/// A line for each cell of which a method failed.
std::vector<std::string> failures_of(const SweepReport&);

}  // namespace sde::cli
