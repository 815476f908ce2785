// The retraction of one residual along a line in closed form.
#pragma once

#include <optional>
#include <vector>

#include "sde/formula/graph.hpp"

namespace sde::formula {

/// The factor of an expression whose zeros are the expression's, where it is a polynomial of degree 1 or 2 in `inputs`:
/// the one factor of the first power beside others that are positive, powers of their own (whose zeros are the domain's
/// end, not Gamma), or do not depend on the inputs. None otherwise.
std::optional<Id> quadratic_factor(const Graph&, Id root, const std::vector<Id>& inputs);

}  // namespace sde::formula
