// Where a slow SDE is wrong: what its terms would have to be, by measurement (verify/term_fit.hpp).
#pragma once

#include "measuring.hpp"
#include "sde/verify/term_fit.hpp"

namespace sde::claims {

struct TermReport {
  std::string method;
  std::vector<verify::TermFactor> factors;
  double margin = 0;
  long paths = 0;  ///< of all runs
  double gradients = 0;
  double seconds = 0;

  /// Whether the factor of a term is not the slow SDE's: with all terms at once, it lies outside the margin around it
  /// at level 0.05, of the terms together.
  bool wrong(const verify::TermFactor&) const;
};

/// Runs the case's algorithm, and with K > 1 at other H too, beside the theory's slow SDE. Nothing where no design is
/// set. Throws ensemble::Interrupted.
TermReport term_report(const Setting&, const Case&);

}  // namespace sde::claims
