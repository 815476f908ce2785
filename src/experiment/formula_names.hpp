// The names of a typed loss: its variables, parameters and data.
#pragma once

#include <utility>

#include "data_file.hpp"
#include "sde/formula/loss_system.hpp"
#include "sde/formula/parse.hpp"
#include "section.hpp"

namespace sde::experiment {

/// A table of [loss] with data: columns written out, or `file`, whose place is beside the experiment file. Empty where
/// it is missing. Throws InputError.
DataTable read_data_of(Section& loss, const std::string& key);

struct FormulaNames {
  /// Reads `variables` and `parameters`; without `variables` they are the names that nothing else explains.
  FormulaNames(Section& loss, const std::vector<std::string>& texts, const DataTable& data);

  std::vector<std::pair<std::string, int>> variables;  ///< with the length of a vector, 0 of a number
  std::vector<std::string> coordinates;                ///< "x", "w[3]"
  std::vector<std::string> parameters;
  std::vector<double> parameter_values;

  /// A system without formulas. Its last parameter is the number of residuals.
  formula::LossSystem system(const DataTable& data) const;
  /// What names stand for in it.
  formula::Names names_with(const DataTable& data, formula::Graph&) const;
  /// The data row by row, in the order of the system's columns.
  std::vector<double> rows_of(const DataTable& data) const;
};

}  // namespace sde::experiment
