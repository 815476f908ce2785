// [verify.comparison] of an experiment file: what its methods are expected to be beside each other at the end (claims
// 10 to 12: when does it generalize better).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sde::experiment {

struct Comparison {
  /// Of methods, by their number.
  struct Pair {
    std::size_t baseline, method;
  };
  int claim = 10;
  bool better = true;  ///< what is observed is expected below the baseline's by the margin; else not below it by more
  std::vector<Pair> pairs;
  std::vector<std::string> observables;
  double margin = 0.05;  ///< of the baseline's mean
};

}  // namespace sde::experiment
