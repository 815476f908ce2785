#include <fmt/format.h>

#include "experiment.hpp"

namespace sde::experiment {

namespace {

/// "method.1.H" in its parts.
std::vector<std::string> parts_of(const std::string& key, const std::string& assignment) {
  std::vector<std::string> parts{""};
  for (const char c : key)
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  for (const auto& part : parts)
    if (part.empty())
      throw InputError(
          fmt::format("--set {}: a part of the key '{}' is empty: expected e.g. training.eta=0.01", assignment, key));
  return parts;
}

/// A TOML value, or text where it is none.
toml::table parsed(const std::string& value) {
  try {
    auto table = toml::parse("v = " + value);
    if (table.size() == 1) return table;  // not "1\nx = 2"
  } catch (const toml::parse_error&) {
  }
  return toml::table{{"v", value}};
}

/// The entry of an array that a part of a key counts to, from 0.
toml::node* entry(toml::array& array, const std::string& part, const std::string& name, const std::string& assignment) {
  const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos && part.size() < 6;
  if (!digits || std::stoul(part) >= array.size())
    throw InputError(array.empty() ? fmt::format("--set {}: {} has no entries", assignment, name)
                                   : fmt::format("--set {}: expected {}.0 to {}.{}, counted from 0, got {}.{}",
                                                 assignment, name, name, array.size() - 1, name, part));
  return array.get(std::stoul(part));
}

}  // namespace

void assign(toml::table& table, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set {}: expected key=value, e.g. training.eta=0.01", assignment));
  const auto path = parts_of(assignment.substr(0, equals), assignment);
  toml::node* at = &table;
  std::string name;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (auto* t = at->as_table()) {
      if (!t->contains(path[i])) t->insert(path[i], toml::table{});
      at = t->get(path[i]);
    } else if (auto* a = at->as_array()) {
      at = entry(*a, path[i], name, assignment);
    } else {
      break;
    }
    name += (name.empty() ? "" : ".") + path[i];
  }
  auto* t = at->as_table();
  if (!t)
    throw InputError(fmt::format("--set {}: {} is not a table: expected {}", assignment, name,
                                 at->is_array() ? name + ".0.KEY=value, counted from 0" : name + "=value"));
  parsed(assignment.substr(equals + 1)).get("v")->visit([&](auto& v) { t->insert_or_assign(path.back(), v); });
}

}  // namespace sde::experiment
