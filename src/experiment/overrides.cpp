#include <fmt/format.h>

#include <sstream>

#include "experiment.hpp"

namespace sde::experiment {

void assign(toml::table& table, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set {}: expected key=value, e.g. training.eta=0.01", assignment));
  std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("v = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("v", value);
  }
  toml::node* at = &table;
  std::stringstream parts(key);
  std::string part, last;
  std::vector<std::string> path;
  while (std::getline(parts, part, '.')) path.push_back(part);
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (auto* t = at->as_table()) {
      if (!t->contains(path[i])) t->insert(path[i], toml::table{});
      at = t->get(path[i]);
    } else if (auto* a = at->as_array()) {
      const bool digits =
          !path[i].empty() && path[i].find_first_not_of("0123456789") == std::string::npos && path[i].size() < 6;
      if (!digits || std::stoul(path[i]) >= a->size())
        throw InputError(fmt::format("--set {}: '{}' should be a number from 0 to {}", assignment, path[i],
                                     static_cast<long>(a->size()) - 1));
      at = a->get(std::stoul(path[i]));
    }
  }
  auto* t = at->as_table();
  if (!t) throw InputError(fmt::format("--set {}: '{}' is not inside a table", assignment, path.back()));
  parsed.get("v")->visit([&](auto& v) { t->insert_or_assign(path.back(), v); });
}

}  // namespace sde::experiment
