#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reading.hpp"

namespace sde::experiment {

namespace {

/// One assignment on its way down to where it belongs.
class Assignment {
 public:
  Assignment(const std::string& text, std::vector<std::string> path, toml::table value)
      : text_(text), path_(std::move(path)), value_(std::move(value)) {}

  /// Descends from `at` by the parts of the path from number `i` on.
  void operator()(toml::node& at, std::size_t i) const {
    const auto& part = path_[i];
    if (auto* array = at.as_array()) {
      if (i + 1 < path_.size()) return into(*array, i);
    } else if (auto* table = at.as_table()) {
      if (part == "*" && i > 0 && i + 1 < path_.size()) return (*this)(at, i + 1);  // [method] alone is all of them
      if (i + 1 == path_.size()) return value_.get("v")->visit([&](auto& v) { table->insert_or_assign(part, v); });
      if (!table->contains(part)) table->insert(part, toml::table{});
      return (*this)(*table->get(part), i + 1);
    }
    const auto name = fmt::format("{}", fmt::join(path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(i), "."));
    throw InputError(fmt::format("--set {}: {} is not a table: expected {}", text_, name,
                                 at.is_array() ? name + ".0.KEY=value, counted from 0" : name + "=value"));
  }

 private:
  void into(toml::array& array, std::size_t i) const {
    const auto& part = path_[i];
    if (part == "*") {
      for (auto& element : array) (*this)(element, i + 1);
      return;
    }
    const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos && part.size() < 6;
    if (!digits || std::stoul(part) >= array.size())
      throw InputError(
          array.empty()
              ? fmt::format("--set {}: {} has no entries", text_, path_[i - 1])
              : fmt::format("--set {0}: expected {1}.0 to {1}.{2}, counted from 0, or {1}.* for all, got {1}.{3}",
                            text_, path_[i - 1], array.size() - 1, part));
    (*this)(*array.get(std::stoul(part)), i + 1);
  }

  const std::string& text_;
  const std::vector<std::string> path_;
  const toml::table value_;  ///< under "v"
};

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

}  // namespace

void assign(toml::table& table, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set {}: expected key=value, e.g. training.eta=0.01", assignment));
  Assignment(assignment, parts_of(assignment.substr(0, equals), assignment), parsed(assignment.substr(equals + 1)))(
      table, 0);
}

}  // namespace sde::experiment
