#include <csv.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <memory>

#include "data_file.hpp"
#include "data_readers.hpp"
#include "sde/core/error.hpp"
#include "sde/formula/parse.hpp"

namespace sde::experiment {

namespace {

/// The first characters of what stands in a file, for a message: a terminal is not to obey it.
std::string shown(std::string_view text) {
  std::string printable(text.substr(0, 40));
  for (char& c : printable)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return printable;
}

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
};

void field(void* text, std::size_t size, void* rows) {
  static_cast<Rows*>(rows)->take({static_cast<const char*>(text), size});
}
void line_end(int, void* rows) { static_cast<Rows*>(rows)->end_line(); }

}  // namespace

DataTable read_csv(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw InputError(fmt::format("{}: cannot be read", file.string()));
  csv_parser parser;
  if (csv_init(&parser, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI) != 0) throw InputError("CSV: no memory");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> freed(&parser, csv_free);
  Rows rows{.file = file, .table = {}, .problem = {}};
  const auto check = [&](bool good) {
    const int error = good ? CSV_SUCCESS : csv_error(&parser);
    if (!good)
      rows.fail(error == CSV_EPARSE ? "a quote that is not closed, or is not followed by a comma"
                                    : csv_strerror(error));
    if (!rows.problem.empty()) throw InputError(rows.problem);
  };
  std::vector<char> buffer(1 << 16);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    check(csv_parse(&parser, buffer.data(), got, field, line_end, &rows) == got);
  }
  check(csv_fini(&parser, field, line_end, &rows) == 0);
  if (rows.table.rows() == 0)
    throw InputError(fmt::format("{}: expected a row of names and rows of numbers", file.string()));
  return std::move(rows.table);
}

}  // namespace sde::experiment
