#include "formula_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sde/formula/names.hpp"

namespace sde::experiment {

namespace {

using formula::Source;

constexpr long kMostVariables = 4096;

void check_name(const Section& s, const std::string& key, const std::string& name) {
  if (const auto wrong = formula::problem_with_name(name); !wrong.empty())
    s.fail(key, fmt::format("the name '{}' {}", name.substr(0, 40), wrong));
}

/// A column that is written out: numbers, or vectors of one length.
DataColumn read_inline(Section& s, const std::string& name) {
  DataColumn column{.name = name, .values = {}};
  const auto* array = s.table().get(name)->as_array();
  if (!array || array->empty()) s.fail(name, "expected an array, an entry for each row");
  column.is_vector = array->front().is_array();
  if (!column.is_vector) {
    column.values = s.numbers({name.c_str(), ""});
    return column;
  }
  s.know(name);
  column.width = static_cast<int>(array->front().as_array()->size());
  std::size_t row = 0;
  for (const auto& entry : *array) {
    ++row;
    const auto* numbers = entry.as_array();
    if (!numbers || numbers->empty() || static_cast<int>(numbers->size()) != column.width)
      s.fail(name, fmt::format("row {}: expected {} numbers, as in the first row", row, column.width));
    for (const auto& e : *numbers) {
      const auto v = e.value<double>();
      if (!v || !std::isfinite(*v)) s.fail(name, fmt::format("row {}: expected finite numbers", row));
      column.values.push_back(*v);
    }
  }
  return column;
}

/// Adds the names of one [loss] key to those in use.
void claim(const Section& loss, const std::string& key, const std::string& name, std::vector<std::string>& used) {
  if (std::find(used.begin(), used.end(), name) != used.end())
    loss.fail(key, fmt::format("'{}' is the name of something else already", name));
  used.push_back(name);
}

}  // namespace

DataTable read_data_of(Section& loss, const std::string& key) {
  DataTable table;
  Section s = loss.section(key);
  if (s.has("file")) {
    const std::filesystem::path file = s.text({"file", "CSV or netCDF"}, "");
    s.finish();
    const auto& source = s.table().source();
    const auto beside = source.path ? std::filesystem::path(*source.path).parent_path() : std::filesystem::path();
    try {
      table = read_data(file.is_absolute() ? file : beside / file);
    } catch (const InputError& e) {
      s.fail("file", e.what());
    }
  } else {
    for (const auto& [k, node] : s.table()) table.columns.push_back(read_inline(s, std::string(k.str())));
  }
  for (const auto& c : table.columns) {
    check_name(s, c.name, c.name);
    const auto rows = c.values.size() / static_cast<std::size_t>(c.width);
    if (rows != table.rows())
      s.fail(c.name,
             fmt::format("expected {} rows, as in '{}', got {}", table.rows(), table.columns.front().name, rows));
  }
  group_numbered(table);
  return table;
}

FormulaNames::FormulaNames(Section& loss, const std::vector<std::string>& texts, const DataTable& data) {
  std::vector<std::string> used;
  for (const auto& c : data.columns) used.push_back(c.name);
  Section p = loss.section("parameters");
  for (const auto& [key, node] : p.table()) {
    const std::string name(key.str());
    check_name(p, name, name);
    claim(loss, "parameters", name, used);
    parameters.push_back(name);
    parameter_values.push_back(p.number({name.c_str(), ""}, std::nan("")));
  }
  const auto* node = loss.table().get("variables");
  if (!node) {
    std::vector<std::string> found;
    for (const auto& text : texts)
      for (const auto& name : formula::names_in(text))
        if (std::find(used.begin(), used.end(), name) == used.end()) {
          used.push_back(name);
          found.push_back(name);
        }
    formula::sort_names(found);
    for (const auto& name : found) variables.emplace_back(name, 0);
  } else if (node->is_table()) {
    Section v = loss.section("variables");
    for (const auto& [key, size] : v.table()) {
      const std::string name(key.str());
      check_name(v, name, name);
      claim(loss, "variables", name, used);
      variables.emplace_back(name, static_cast<int>(v.integer({name.c_str(), "length"}, 1, 1, kMostVariables)));
    }
  } else {
    for (const auto& name : loss.texts({"variables", ""})) {
      check_name(loss, "variables", name);
      claim(loss, "variables", name, used);
      variables.emplace_back(name, 0);
    }
  }
  for (const auto& [name, size] : variables) {
    if (size == 0) coordinates.push_back(name);
    for (int k = 1; k <= size; ++k) coordinates.push_back(fmt::format("{}[{}]", name, k));
  }
  if (std::ssize(coordinates) > kMostVariables)
    loss.fail("variables", fmt::format("expected at most {} coordinates, got {}", kMostVariables, coordinates.size()));
}

formula::LossSystem FormulaNames::system(const DataTable& data) const {
  formula::LossSystem s;
  s.variables = coordinates;
  s.parameters = parameters;
  s.parameters.push_back("n");
  s.by_row = data.rows() > 0;
  for (const auto& c : data.columns)
    for (int k = 0; k < c.width; ++k) s.columns.push_back(c.is_vector ? fmt::format("{}[{}]", c.name, k + 1) : c.name);
  return s;
}

formula::Names FormulaNames::names_with(const DataTable& data, formula::Graph& g) const {
  formula::Names names;
  int index = 0;
  const auto add = [&](const std::string& name, Source source, int count, bool is_vector) {
    formula::Value value{.items = {}, .is_vector = is_vector};
    for (int k = 0; k < count; ++k) value.items.push_back(g.input(source, index++));
    names.values.emplace(name, std::move(value));
  };
  for (const auto& [name, size] : variables) add(name, Source::variable, std::max(size, 1), size > 0);
  index = 0;
  for (const auto& name : parameters) add(name, Source::parameter, 1, false);
  index = 0;
  for (const auto& c : data.columns) {
    add(c.name, Source::column, c.width, c.is_vector);
    names.rows.push_back(c.name);
  }
  return names;
}

std::vector<double> FormulaNames::rows_of(const DataTable& data) const {
  std::vector<double> rows;
  for (std::size_t r = 0; r < data.rows(); ++r)
    for (const auto& c : data.columns) {
      const auto width = static_cast<std::size_t>(c.width);
      rows.insert(rows.end(), c.values.begin() + static_cast<std::ptrdiff_t>(r * width),
                  c.values.begin() + static_cast<std::ptrdiff_t>((r + 1) * width));
    }
  return rows;
}

}  // namespace sde::experiment
