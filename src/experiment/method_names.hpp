// How the rows of an experiment are told apart: by the keys in which they differ.
#pragma once

#include "recorded_keys.hpp"
#include "sde/ensemble/method.hpp"

namespace sde::experiment {

/// Keys in which methods differ, in the order in which they are asked for: of all algorithms where any two rows do, of
/// one type's own, or of a row's, where two rows do that have the same type or the same equation.
std::vector<std::string> differing_keys(const std::vector<ensemble::Method>&, const std::vector<KeyValues>&);

/// Names the groups and methods that have none: by the algorithm's label with the keys of differing_keys() that it does
/// not say, and that with what moves the paths.
void name_methods(std::vector<ensemble::Method>&, const std::vector<KeyValues>&);

}  // namespace sde::experiment
