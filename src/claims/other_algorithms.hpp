// The algorithms of claim 14: those whose slow SDE is not SGD's or Local SGD's own.
#pragma once

#include <string>
#include <vector>

#include "sde/discrete/algorithm.hpp"

namespace sde::claims {

/// Whether claim 14 is the one about an algorithm of this type; claims 2 to 9 are about the others.
bool of_claim_14(const discrete::AlgorithmType&);

/// Those of the shipped table, by name: with eta so that their effective learning rate is `effective`, and the total
/// batch `batch`, a multiple of 12.
std::vector<std::pair<std::string, discrete::Algorithm>> other_algorithms(double effective, int batch);

}  // namespace sde::claims
