// Experiments whose methods are compared with each other (claims 10 to 12).
#pragma once

#include <vector>

#include "../experiment/experiment.hpp"
#include "case.hpp"

namespace sde::claims {

/// Whether a claim is about methods beside each other.
inline bool compares(int claim) { return claim >= 10 && claim <= 12; }

/// What is compared: an experiment file's methods or, with a [sweep], those of each cell.
struct Compared {
  struct Cell {
    std::string name;  ///< "H = 10"; empty without a sweep
    double x = 0;      ///< where the cell stands in the figure
    experiment::Experiment experiment;
  };
  std::vector<Cell> cells;  ///< of one file: all have the same methods
};

/// The case of what is compared: the claims of its comparisons alone are measured on it. Throws InputError where a
/// comparison is asked for at slow times at which no cell is observed.
Case comparison_case(Compared);

/// The rows of a claim's comparisons.
Measured measure_comparisons(int claim, const Setting&, const Compared&);

}  // namespace sde::claims
