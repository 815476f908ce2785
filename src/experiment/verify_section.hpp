// [verify] of an experiment file: the margins of `sde verify FILE`.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sde::experiment {

struct VerifySettings {
  double factor = 1;                      ///< of the margins that `margins` does not give
  std::map<std::string, double> margins;  ///< half-widths, relative as in the table, by the claim's name

  /// Half-width of the margin of a claim whose own is `otherwise`.
  double margin(const std::string& claim, double otherwise) const;
};

/// Names of the claims that have a margin: drift, diffusion, ...
const std::vector<std::string>& claims_with_margins();

}  // namespace sde::experiment
