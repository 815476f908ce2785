// From the measured rows to verdicts with a stated family-wise error.
#pragma once

#include <memory>

#include "claim.hpp"

namespace sde::claims {

inline constexpr double kFamilyLevel = 0.05;

/// Work that was asked for: a claim on a case.
struct Task {
  const Claim* claim;
  std::shared_ptr<const Case> on;
};

struct Outcome {
  Task task;
  Measured measured;
  double seconds = 0;
};

/// A row with its verdict, Holm's at level 0.05 over the table. Of a control: "rejected" at 5 standard errors; "not
/// rejected" where the wrong prediction agrees with the measurement; else "inconclusive".
struct Line {
  Row row;
  std::string verdict;
  double half_width = 0;  ///< of the row's own 95% interval
  double suffices = 0;    ///< gradients that would decide an inconclusive row, if its centre stays; 0: not known
};

struct Report {
  std::vector<Line> lines;
  int agrees = 0, disagrees = 0, inconclusive = 0, rejected = 0, not_rejected = 0, undecided = 0;
  double gradients = 0, suffices = 0;
  int controls() const { return rejected + not_rejected + undecided; }
  /// Nothing disagrees, and every wrong prediction is rejected; where the work was cut to a given time, none agrees.
  bool passed(bool cut_to_time) const { return disagrees == 0 && not_rejected == 0 && (cut_to_time || undecided == 0); }
};

Report judge(const std::vector<Outcome>&);

}  // namespace sde::claims
