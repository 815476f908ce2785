// What messages about bad input share.
#pragma once

#include <string>
#include <vector>

#include "sde/core/error.hpp"

namespace sde {

/// The candidate nearest to `word` in edit distance; empty without candidates.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);
/// " (did you mean 'X'? valid: A, B, X)"
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace sde
