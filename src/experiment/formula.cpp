#include "formula.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "../modules/typed_model.hpp"
#include "formula_names.hpp"
#include "sde/formula/parse.hpp"

namespace sde::experiment {

namespace {

using formula::Id;
using formula::LossSystem;
using formula::Source;

/// The formulas of a key: one text, or several.
std::vector<std::string> formulas(Section& loss, const char* key) {
  const auto* node = loss.table().get(key);
  if (!node) return {};
  if (!node->is_array()) return {loss.text({key, ""}, "")};
  auto texts = loss.texts({key, ""});
  if (texts.empty()) loss.fail(key, "expected at least one formula");
  return texts;
}

/// What [loss] says, as text.
struct Written {
  const char* key;  ///< of the loss
  std::vector<std::string> texts;
  bool squared;
};

Written read_written(Section& loss) {
  std::vector<Written> all;
  for (const char* key : {"formula", "residual", "residuals"})
    if (auto texts = formulas(loss, key); !texts.empty()) all.push_back({key, texts, std::string(key) != "formula"});
  if (all.size() > 1) loss.fail(all[1].key, fmt::format("there is {} already: expected one of the two", all[0].key));
  auto& one = all.front();
  if (std::string(one.key) != "residuals" && one.texts.size() > 1)
    loss.fail(one.key, fmt::format("expected one formula, got {}; several are residuals = [...]", one.texts.size()));
  return one;
}

/// A formula of a key; a mistake names the key, and which of several it is.
Id parse_of(const Section& loss, const char* key, std::size_t index, std::size_t count, const std::string& text,
            formula::Graph& graph, const formula::Names& names) {
  try {
    return formula::parse(graph, names, text);
  } catch (const InputError& e) {
    loss.fail(key, (count > 1 ? fmt::format("entry {}: ", index + 1) : "") + e.what());
  }
}

/// Names without `variables` are found in the formulas, whose mistakes may be met there.
FormulaNames names_of(Section& loss, const Written& written, const DataTable& data) {
  try {
    return {loss, written.texts, data};
  } catch (const formula::SyntaxError& e) {
    loss.fail(written.key, e.what());
  }
}

/// Where runs start that name no start: by names, or in order.
slow::Vector read_start(Section& loss, const FormulaNames& names) {
  const auto* node = loss.table().get("start");
  if (!node) return {};
  std::vector<double> start;
  if (node->is_table()) {
    Section table = loss.section("start");
    for (const auto& [name, size] : names.variables) {
      auto part =
          size == 0 ? std::vector{table.number({name.c_str(), ""}, std::nan(""))} : table.numbers({name.c_str(), ""});
      if (size > 0 && static_cast<int>(part.size()) != size)
        table.fail(name, fmt::format("expected {} numbers, got {}", size, part.size()));
      start.insert(start.end(), part.begin(), part.end());
    }
    table.finish();
  } else {
    start = loss.numbers({"start", ""});
    const auto& coordinates = names.coordinates;
    if (start.size() != coordinates.size())
      loss.fail("start",
                fmt::format("expected {} coordinates ({}{}), got {}", coordinates.size(),
                            fmt::join(coordinates.begin(),
                                      coordinates.begin() + std::min<std::ptrdiff_t>(8, std::ssize(coordinates)), ", "),
                            coordinates.size() > 8 ? ", ..." : "", start.size()));
  }
  return Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
}

/// Every variable and parameter has to occur.
void check_used(const Section& loss, const FormulaNames& names, const LossSystem& system) {
  const auto needed = formula::reachable(system.graph, system.squared() ? system.residuals : std::vector{system.value});
  std::vector<bool> variables(names.coordinates.size()), parameters(names.parameters.size());
  for (Id id = 0; id < static_cast<Id>(needed.size()); ++id) {
    const auto& n = system.graph[id];
    if (!needed[static_cast<std::size_t>(id)] || n.op != formula::Op::input) continue;
    if (n.source == Source::variable) variables[static_cast<std::size_t>(n.first)] = true;
    if (n.source == Source::parameter && static_cast<std::size_t>(n.first) < parameters.size())
      parameters[static_cast<std::size_t>(n.first)] = true;
  }
  for (std::size_t k = 0; k < variables.size(); ++k)
    if (!variables[k])
      loss.fail("variables", fmt::format("'{}' does not occur in the loss (or cancels in it)", names.coordinates[k]));
  for (std::size_t k = 0; k < parameters.size(); ++k)
    if (!parameters[k])
      loss.fail("parameters", fmt::format("'{}' does not occur in the loss (or cancels in it)", names.parameters[k]));
}

std::vector<std::string> notes_of(const Section& loss, const Written& written, const LossSystem& system) {
  const auto needed = formula::reachable(system.graph, system.squared() ? system.residuals : std::vector{system.value});
  for (Id id = 0; id < static_cast<Id>(needed.size()); ++id)
    if (needed[static_cast<std::size_t>(id)] && system.graph[id].op == formula::Op::relu)
      return {
          fmt::format("{}: {} has relu, whose derivative jumps: the theory asks for three derivatives, and holds "
                      "only while no path crosses a kink",
                      loss.place(written.key), loss.name(written.key))};
  return {};
}

/// The test error: the mean of test_residual^2 over the rows of test_data, or test_error.
void read_test(Section& loss, const FormulaNames& names, const DataTable& test, const std::vector<double>& parameters,
               formula::BoundLoss& bound) {
  const bool has_residual = loss.has("test_residual"), has_error = loss.has("test_error");
  if (has_residual && has_error) loss.fail("test_error", "there is test_residual already: expected one of the two");
  if (!has_residual && !has_error) {
    if (test.rows() > 0) loss.fail("test_data", "expected test_residual, the residual of one of its rows, too");
    return;
  }
  const char* key = has_residual ? "test_residual" : "test_error";
  LossSystem system = names.system(test);
  const Id root =
      parse_of(loss, key, 0, 1, loss.text({key, ""}, ""), system.graph, names.names_with(test, system.graph));
  auto& g = system.graph;
  const Id n = g.input(Source::parameter, static_cast<int>(system.parameters.size()) - 1);
  const Id error = has_residual ? g.multiply(g.power(root, 2), g.power(n, -1)) : root;
  system.residuals = {error};
  system.by_row = test.rows() > 0;
  if (has_residual && !system.by_row) loss.fail("test_data", "missing: expected the rows that test_residual is of");
  formula::LossPrograms programs;
  bound.test_error = formula::lower(g, programs.scalars, {{error, 0, has_residual}}, system.by_row);
  auto values = parameters;
  values.push_back(static_cast<double>(std::max<std::size_t>(1, test.rows())));
  bound.test_numbers = formula::numbers_of(system, programs, values, names.rows_of(test));
}

}  // namespace

bool is_formula(const Section& loss) { return loss.has("formula") || loss.has("residual") || loss.has("residuals"); }

NamedLoss make_formula(Section& loss) {
  const Written written = read_written(loss);
  const std::string label =
      loss.text({"name", "of the loss in tables"}, fmt::format("{}", fmt::join(written.texts, "; ")));
  const DataTable data = read_data_of(loss, "data"), test = read_data_of(loss, "test_data");
  const FormulaNames names = names_of(loss, written, data);
  if (data.rows() > 0 && !written.squared)
    loss.fail("formula", "a formula is of theta alone: with data, expected residual, the residual of one row");

  LossSystem system = names.system(data);
  const auto known = names.names_with(data, system.graph);
  for (std::size_t k = 0; k < written.texts.size(); ++k) {
    const Id root = parse_of(loss, written.key, k, written.texts.size(), written.texts[k], system.graph, known);
    if (written.squared)
      system.residuals.push_back(root);
    else
      system.value = root;
  }
  if (names.coordinates.empty()) loss.fail(written.key, "expected a loss of at least one variable");
  check_used(loss, names, system);
  std::vector<double> parameters = names.parameter_values;
  const auto rows = std::max<std::size_t>(1, data.rows());
  parameters.push_back(static_cast<double>(rows * std::max<std::size_t>(1, system.residuals.size())));

  const auto bound = std::make_shared<formula::BoundLoss>();
  const auto data_rows = names.rows_of(data);
  try {
    bound->programs = formula::programs_of(system);
    bound->numbers = formula::numbers_of(system, bound->programs, parameters, data_rows);
  } catch (const InputError& e) {
    loss.fail(written.key, e.what());
  }
  read_test(loss, names, test, names.parameter_values, *bound);
  auto notes = notes_of(loss, written, system);
  const auto kept = std::make_shared<const LossSystem>(std::move(system));
  bound->not_finite = [kept, parameters, data_rows](const std::vector<double>& theta) {
    return formula::not_finite(*kept, parameters, data_rows, theta);
  };
  NamedLoss named{.model = typed_model(bound, written.squared),
                  .start = read_start(loss, names),
                  .name = label,
                  .variables = names.coordinates,
                  .notes = std::move(notes)};
  loss.finish();
  return named;
}

}  // namespace sde::experiment
