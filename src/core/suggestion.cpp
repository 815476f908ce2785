#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "sde/core/suggestion.hpp"

namespace sde {

namespace {

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment), whatever their case.
std::size_t edits(const std::string& from, const std::string& to) {
  const auto letter = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  const std::size_t n = to.size();
  std::vector<std::size_t> before, last, row(n + 1);
  for (std::size_t j = 0; j <= n; ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= n; ++j) {
      const bool same = letter(from[i - 1]) == letter(to[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && letter(from[i - 1]) == letter(to[j - 2]) && letter(from[i - 2]) == letter(to[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[n];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t least = std::string::npos;
  for (const auto& c : candidates) {
    const auto count = edits(word, c);
    if (3 * count > std::max(word.size(), c.size()) || count >= least) continue;
    least = count;
    best = c;
  }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  if (candidates.empty()) return "";
  const auto near = nearest(word, candidates);
  const auto question = near.empty() ? std::string() : fmt::format("did you mean '{}'? ", near);
  return fmt::format(" ({}valid: {})", question, fmt::join(candidates, ", "));
}

}  // namespace sde
