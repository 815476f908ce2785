// A sweep: the same experiment for several values of some keys. Every combination of values (or, zipped, every place in
// lists of one length) is a cell: an experiment of its own, that of the file with these values by --set.
#pragma once

#include <optional>

#include "reading.hpp"

namespace sde::experiment {

/// One value of a swept key.
struct SweepValue {
  std::string text;              ///< as --set takes it
  std::optional<double> number;  ///< where it is one
  bool whole = false;            ///< it is a whole number
  /// As tables, figures and datasets show it: text without its quotes.
  std::string shown() const;
};

struct SweepAxis {
  std::string key;    ///< "training.eta", "method.*.H"
  std::string label;  ///< of tables, figures and the dataset's dimension: "eta"
  std::vector<SweepValue> values;
  bool numbers() const;  ///< all values are
  bool whole() const;    ///< all values are whole numbers
};

struct Sweep {
  std::vector<SweepAxis> axes;  ///< in their order in the file, then on the command line; none: no sweep
  bool zip = false;             ///< all lists at once, instead of every combination
  std::string base;             ///< the file with overrides applied, as TOML, without its [sweep]

  static constexpr std::size_t kMostCells = 4096;
  std::size_t cells() const;
  /// Number of each axis's value in a cell; of a product the last axis runs fastest.
  std::vector<std::size_t> at(std::size_t cell) const;
  /// A cell's values as --set takes them.
  std::vector<std::string> overrides(std::size_t cell) const;
  /// "eta = 0.01, H = 20"
  std::string describe(std::size_t cell) const;
  /// The base with this sweep as its [sweep]: a file that repeats it.
  std::string source() const;
};

/// The sweep of a file's [sweep] and of `--sweep key=values`, which replace those of the same key in the file; `zip` as
/// if the file had mode = "zip". `set` are the overrides, which may not name a swept key. Values are a list, or
/// "geom:first:last:count" or "lin:first:last:count": ends exact, the rest rounded to 12 digits, and to whole numbers
/// where both ends are whole and the key takes no others. Throws InputError.
Sweep read_sweep(const FileText& file, const std::vector<std::string>& set, const std::vector<std::string>& sweep,
                 bool zip);

/// The values of a list ("0.01,0.02") or range, as --sweep has them for `key`; `place` begins the messages of what it
/// throws. Throws InputError.
std::vector<SweepValue> sweep_values(const std::string& key, const std::string& text, const std::string& place);
/// The same of a TOML value: an array, or a text with a range.
std::vector<SweepValue> sweep_values(const std::string& key, const toml::node& node, const std::string& place);

}  // namespace sde::experiment
