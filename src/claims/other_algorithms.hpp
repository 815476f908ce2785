// The algorithms of claim 14: those whose slow SDE is not SGD's or Local SGD's own.
#pragma once

#include <string>
#include <vector>

#include "sde/ensemble/method.hpp"

namespace sde::claims {

/// Whether claim 14 is the one about an algorithm of this type; claims 2 to 9 are about the others.
bool of_claim_14(const discrete::AlgorithmType&);

struct OtherAlgorithm {
  std::string name;
  discrete::Algorithm algorithm;
  double unit = 1;  ///< its effective learning rate over the root of its slow time of a step
};

/// Those of the shipped table: with eta so that their effective learning rate is `effective`, and the total batch
/// `batch`, a multiple of 12. Adaptive ones start with a v of twice the noise's variance, which falls by itself within
/// `time` of the slow time of that rate; theirs is eta tr S/d, S the metric at the start.
std::vector<OtherAlgorithm> other_algorithms(const ensemble::Problem&, double effective, int batch, double time);

}  // namespace sde::claims
