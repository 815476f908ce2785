// What messages about bad input share: the nearest of the names that were expected.
#pragma once

#include <string>
#include <vector>

#include "sde/core/error.hpp"

namespace sde {

/// The candidate that needs the fewest edits, capitals aside; empty where that is more than a third of the letters.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);
/// " (did you mean 'X'? valid: A, B, X)", without the question where none is near; nothing without candidates.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace sde
