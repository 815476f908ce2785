#include "labelled_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "formats.hpp"
#include "sde/core/error.hpp"

namespace sde::experiment {

namespace {

std::string_view bytes_of(const LabelledData& data, std::size_t row) {
  return {reinterpret_cast<const char*>(&data.x[row * data.features]), data.features * sizeof(double)};
}

LabelledData part(const LabelledData& data, std::size_t first, std::size_t last) {
  LabelledData rows = data;
  const auto features = static_cast<std::ptrdiff_t>(data.features), from = static_cast<std::ptrdiff_t>(first),
             to = static_cast<std::ptrdiff_t>(last);
  rows.x.assign(data.x.begin() + from * features, data.x.begin() + to * features);
  rows.y.assign(data.y.begin() + from, data.y.begin() + to);
  if (data.order.empty())
    rows.header += first;
  else
    rows.order.assign(data.order.begin() + from, data.order.begin() + to);
  return rows;
}

}  // namespace

std::string LabelledData::place_of_label(std::size_t row) const {
  return fmt::format("{}: row {}", labels_from, header + (order.empty() ? row : order[row]) + 1);
}
std::string LabelledData::place_of_input(std::size_t row) const {
  return fmt::format("{}: row {}", inputs_from, header + (order.empty() ? row : order[row]) + 1);
}

LabelledData first_rows(const LabelledData& data, std::size_t count) { return part(data, 0, count); }
LabelledData rows_from(const LabelledData& data, std::size_t first) { return part(data, first, data.rows()); }

LabelledData in_order(const LabelledData& data, const std::vector<std::size_t>& order) {
  LabelledData rows = data;
  rows.order = order;
  rows.y.resize(order.size());
  rows.x.resize(order.size() * data.features);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!data.order.empty()) rows.order[i] = data.order[order[i]];
    rows.y[i] = data.y[order[i]];
    std::copy_n(&data.x[order[i] * data.features], data.features, &rows.x[i * data.features]);
  }
  return rows;
}

int label_of(double value, const std::string& place) {
  if (!(value >= 0 && value < kMostClasses && value == std::floor(value)))
    throw InputError(
        fmt::format("{}: expected a class, a whole number from 0 to {}, got {}", place, kMostClasses - 1, value));
  return static_cast<int>(value);
}

LabelledData read_labelled(const LabelledFiles& files) {
  auto name = files.inputs.filename();
  if (name.extension() == ".gz") name.replace_extension();
  if (name.extension() == ".csv") return read_labelled_csv(files);
  if (name.extension() == ".npz") return read_npz(files);
  return read_idx(files);
}

int classes_of(const LabelledData& training) {
  const int classes = std::max(2, *std::max_element(training.y.begin(), training.y.end()) + 1);
  std::vector<std::size_t> count(static_cast<std::size_t>(classes), 0);
  for (const int y : training.y) ++count[static_cast<std::size_t>(y)];
  if (const auto empty = std::find(count.begin(), count.end(), 0); empty != count.end())
    throw InputError(fmt::format("{}: class {} has no sample: expected labels of {} classes, from 0 on without a gap",
                                 training.labels_from, empty - count.begin(), classes));
  return classes;
}

void check_test_set(const LabelledData& training, const LabelledData& test, int classes) {
  if (test.features != training.features)
    throw InputError(fmt::format("{}: expected {} numbers an input, as {} has, got {}", test.inputs_from,
                                 training.features, training.inputs_from, test.features));
  for (std::size_t i = 0; i < test.rows(); ++i)
    if (test.y[i] >= classes)
      throw InputError(fmt::format("{}: expected a class of the training set, 0 to {}, got {}", test.place_of_label(i),
                                   classes - 1, test.y[i]));
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < training.rows(); ++i) known.emplace(bytes_of(training, i), i);
  for (std::size_t i = 0; i < test.rows(); ++i)
    if (const auto same = known.find(bytes_of(test, i)); same != known.end())
      throw InputError(fmt::format("{}: this test input is that of {}: expected a test set apart from the training set",
                                   test.place_of_input(i), training.place_of_input(same->second)));
}

}  // namespace sde::experiment
