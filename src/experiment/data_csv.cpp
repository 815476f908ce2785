#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>

#include "csv_rows.hpp"
#include "data_file.hpp"
#include "data_readers.hpp"
#include "sde/core/error.hpp"
#include "sde/formula/parse.hpp"

namespace sde::experiment {

namespace {

/// What the parser's calls fill, row by row.
struct Rows {
  const std::filesystem::path& file;
  DataTable table;
  std::size_t line = 1, entry = 0;
  std::string problem;  ///< the first: exceptions must not pass through a C library

  void fail(const std::string& what) {
    if (problem.empty()) problem = fmt::format("{}: row {}: {}", file.string(), line, what);
  }

  void take(std::string_view text) {
    if (!problem.empty()) return;
    ++entry;
    if (line == 1) return take_name(text);
    if (entry > table.columns.size())
      return fail(fmt::format("expected {} entries, as many as there are names, got more", table.columns.size()));
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !std::isfinite(value))
      return fail(
          fmt::format("column {}: expected a finite number, got '{}'", table.columns[entry - 1].name, shown(text)));
    table.columns[entry - 1].values.push_back(value);
  }
  void take_name(std::string_view name) {
    if (const auto wrong = formula::problem_with_name(name); !wrong.empty())
      return fail(fmt::format("the name '{}' of column {}: {}; the first row has the names of the columns", shown(name),
                              entry, wrong));
    for (const auto& c : table.columns)
      if (c.name == name) return fail(fmt::format("two columns are named '{}'", name));
    table.columns.push_back({.name = std::string(name), .values = {}});
  }
  void end_line() {
    if (!problem.empty()) return;
    if (line > 1 && entry != table.columns.size())
      fail(fmt::format("expected {} entries, as many as there are names, got {}", table.columns.size(), entry));
    if (line * table.columns.size() > kMostDataNumbers) fail(fmt::format("more than {} numbers", kMostDataNumbers));
    ++line;
    entry = 0;
  }
  void after(std::size_t) {}
};

}  // namespace

DataTable read_csv(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw InputError(fmt::format("{}: cannot be read", file.string()));
  Rows rows{.file = file, .table = {}, .problem = {}};
  walk_csv(
      [&](char* to, std::size_t size) {
        in.read(to, static_cast<std::streamsize>(size));
        return static_cast<std::size_t>(in.gcount());
      },
      rows);
  if (rows.table.rows() == 0)
    throw InputError(fmt::format("{}: expected a row of names and rows of numbers", file.string()));
  return std::move(rows.table);
}

}  // namespace sde::experiment
