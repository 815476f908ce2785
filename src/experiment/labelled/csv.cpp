#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "../csv_rows.hpp"
#include "../data_file.hpp"
#include "formats.hpp"
#include "sde/core/error.hpp"

namespace sde::experiment {

namespace {

/// What the parser's calls fill, row by row: the first may be of names.
struct Rows {
  const LabelledFiles& files;
  LabelledData data;
  std::size_t row = 1, columns = 0;
  std::vector<double> entries;
  bool names = false;   ///< row 1 is of names
  std::string problem;  ///< the first: exceptions must not pass through a C library

  void fail(const std::string& what) {
    if (problem.empty()) problem = fmt::format("{}: row {}: {}", data.inputs_from, row, what);
  }
  void take(std::string_view text) {
    if (!problem.empty()) return;
    double value = 0;
    const char *begin = text.data(), *const end = text.data() + text.size();
    while (begin != end && *begin == ' ') ++begin;
    const auto [stop, error] = std::from_chars(begin, end, value);
    const bool number = error == std::errc{} && stop == end;
    if (row == 1 && !number) names = true;
    if (!number && row > 1)
      return fail(fmt::format("column {}: expected a number, got '{}'", entries.size() + 1, shown(text)));
    if (number && !std::isfinite(value) && !names)
      return fail(fmt::format("column {}: expected a finite number, got {}", entries.size() + 1, value));
    entries.push_back(value);
  }
  void end_line() {
    if (!problem.empty()) return;
    if (columns == 0) columns = entries.size();
    if (columns < 2) return fail(fmt::format("expected inputs and a label, 2 columns or more, got {}", columns));
    if (entries.size() != columns)
      return fail(fmt::format("expected {} columns, as in row 1, got {}", columns, entries.size()));
    if (data.x.size() + columns > kMostDataNumbers) return fail(fmt::format("more than {} numbers", kMostDataNumbers));
    if (names && row == 1)
      data.header = 1;
    else
      take_row();
    entries.clear();
    ++row;
  }
  /// A field without an end would be kept until memory is.
  void after(std::size_t bytes) {
    const std::size_t fields = row * kMostDataNumbers + entries.size();
    without_ = fields == before_ ? without_ + bytes : 0;
    before_ = fields;
    if (without_ > kLongest)
      fail(fmt::format("column {}: no number is longer than {} characters", entries.size() + 1, without_));
  }
  void take_row() {
    const std::size_t label = files.label_first ? 0 : columns - 1;
    try {
      data.y.push_back(
          label_of(entries[label], fmt::format("{}: row {}: column {}, the label", data.inputs_from, row, label + 1)));
    } catch (const InputError& e) {
      problem = e.what();
    }
    for (std::size_t k = 0; k < columns; ++k)
      if (k != label) data.x.push_back(entries[k]);
  }

  static constexpr std::size_t kLongest = 1 << 16;
  std::size_t before_ = 0, without_ = 0;
};

}  // namespace

LabelledData read_labelled_csv(const LabelledFiles& files) {
  if (!files.labels.empty())
    throw InputError(fmt::format("{}: a CSV file has its labels in a column: expected no file of labels, got {}",
                                 files.inputs.string(), files.labels.string()));
  const auto in = open_bytes(files.inputs);
  Rows rows{.files = files, .data = {}, .entries = {}, .problem = {}};
  rows.data.inputs_from = rows.data.labels_from = files.inputs.string();
  walk_csv([&](char* to, std::size_t size) { return in->read(to, size); }, rows);
  if (rows.data.rows() == 0)
    throw InputError(fmt::format("{}: expected rows of numbers, got none", files.inputs.string()));
  rows.data.features = rows.columns - 1;
  return std::move(rows.data);
}

}  // namespace sde::experiment
