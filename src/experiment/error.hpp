// Errors that the command line turns into exit codes.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace sde {

/// Bad usage or input (exit code 2): the message names place, key, expectation and the nearest valid name.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Input/output failure (exit code 4).
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The candidate nearest to `word` in edit distance; empty without candidates.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);
/// " (did you mean 'X'? valid: A, B, X)"
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace sde
