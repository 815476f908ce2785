// The shipped table: the problems that the claims are measured on, by name.
#pragma once

#include <memory>

#include "case.hpp"

namespace sde::claims {

/// Cases on which a claim is measured, in the table's order; none of a claim that is about experiment files alone.
const std::vector<std::string>& shipped_names(int claim);

/// Made once. Throws std::logic_error for a name that is in no claim's list.
std::shared_ptr<const Case> shipped_case(const std::string& name);

}  // namespace sde::claims
