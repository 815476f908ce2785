#include "sde/formula/names.hpp"

#include <algorithm>
#include <tuple>

#include "sde/formula/parse.hpp"
#include "tokens.hpp"

namespace sde::formula {

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& t : tokens(text)) {
    const std::string name(t.text);
    if (t.kind == Kind::name && problem_with_name(name).empty() &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

void sort_names(std::vector<std::string>& names) {
  const auto key = [](const std::string& name) {
    const auto letters = name.find_last_not_of("0123456789") + 1;
    const auto digits = name.substr(std::min(name.find_first_not_of('0', letters), name.size()));
    return std::tuple(name.substr(0, letters), digits.size(), digits, name);
  };
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

}  // namespace sde::formula
