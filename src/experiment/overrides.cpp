#include <fmt/format.h>

#include <sstream>

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
    throw InputError(fmt::format("--set {}: '{}' is not inside a table", text_, path_.back()));
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
      throw InputError(fmt::format("--set {}: '{}' should be a number from 0 to {}, or * for all", text_, part,
                                   static_cast<long>(array.size()) - 1));
    (*this)(*array.get(std::stoul(part)), i + 1);
  }

  const std::string& text_;
  const std::vector<std::string> path_;
  const toml::table value_;  ///< under "v"
};

}  // namespace

void assign(toml::table& table, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set {}: expected key=value, e.g. training.eta=0.01", assignment));
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("v = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("v", value);
  }
  std::stringstream parts(key);
  std::string part;
  std::vector<std::string> path;
  while (std::getline(parts, part, '.')) path.push_back(part);
  Assignment(assignment, std::move(path), std::move(parsed))(table, 0);
}

}  // namespace sde::experiment
