// Derivatives of expressions, as expressions of the same graph.
#pragma once

#include "sde/formula/graph.hpp"

namespace sde::formula {

/// d root / d input, for each of `inputs`, all in one pass from the root backwards (the cost of a few evaluations of
/// the root, however many inputs).
std::vector<Id> gradient(Graph&, Id root, const std::vector<Id>& inputs);

/// d roots / d epsilon where inputs[k] moves by epsilon directions[k]: one pass forwards.
std::vector<Id> along(Graph&, const std::vector<Id>& roots, const std::vector<Id>& inputs,
                      const std::vector<Id>& directions);

}  // namespace sde::formula
