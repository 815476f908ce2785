// Data of a classification problem: n inputs with their classes, from IDX, CSV or NPZ files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sde::experiment {

struct LabelledData {
  std::string inputs_from, labels_from;  ///< files, for messages
  std::size_t features = 0;
  std::vector<double> x;                ///< [n][features]
  std::vector<int> y;                   ///< at least 0
  std::size_t header = 0;               ///< rows of the file before the first of these
  std::vector<std::size_t> order = {};  ///< row i was number order[i] behind the header; without entries number i

  std::size_t rows() const { return y.size(); }
  /// "FILE: row 7" (from 1) of a row's label or inputs.
  std::string place_of_label(std::size_t row) const;
  std::string place_of_input(std::size_t row) const;
};

/// Where data are, and how they are written.
struct LabelledFiles {
  std::filesystem::path inputs;
  std::filesystem::path labels;          ///< of IDX, which has a file of its own for them
  bool label_first = false;              ///< of CSV: the label is the first column, not the last
  std::vector<std::string> arrays = {};  ///< of NPZ: names of the inputs' array and the labels'
};

/// The most classes that labels may have.
inline constexpr int kMostClasses = 1000;

/// By the ending of the name, before .gz: .csv; .npz; else IDX. Throws InputError, which names the file, and the byte
/// or the line.
LabelledData read_labelled(const LabelledFiles&);

/// The first rows, and the others.
LabelledData first_rows(const LabelledData&, std::size_t count);
LabelledData rows_from(const LabelledData&, std::size_t first);

/// Row i becomes number order[i]; those that `order` does not name are left out.
LabelledData in_order(const LabelledData&, const std::vector<std::size_t>& order);

/// Number of classes: the largest label + 1, at least 2. Throws InputError where a class between has no sample.
int classes_of(const LabelledData& training);
/// Throws InputError where the test set has other features, a class that the training set has not, or an input of the
/// training set.
void check_test_set(const LabelledData& training, const LabelledData& test, int classes);

}  // namespace sde::experiment
