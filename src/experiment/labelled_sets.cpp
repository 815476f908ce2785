#include "labelled_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sde/random/streams.hpp"
#include "shared_file.hpp"

namespace sde::experiment {

namespace {

/// The digits' split: the first images are the training set, the other 773 the test set.
constexpr std::size_t kDigitsForTraining = 1024;
constexpr const char* kDigits = "digits";

/// A file's place is beside the experiment file.
std::filesystem::path beside(const Section& loss, const std::string& file) {
  const std::filesystem::path path = file;
  const auto& source = loss.table().source();
  if (path.empty() || path.is_absolute() || !source.path) return path;
  return std::filesystem::path(*source.path).parent_path() / path;
}

/// The numbers below n in an order drawn from the seed (Fisher-Yates).
std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  random::IndexStream<double> words({seed, 0, 0}, random::Purpose::shuffle, 0);
  for (std::size_t i = n; i-- > 1;) std::swap(order[i], order[words.next(static_cast<std::uint32_t>(i + 1))]);
  return order;
}

}  // namespace

SetsSettings read_sets_settings(Keys& keys) {
  SetsSettings s;
  s.data = keys.text({"data", "digits, or a file: IDX, .csv, .npz, the first two also with .gz"}, kDigits);
  s.labels = keys.text({"labels", "of IDX data: the file of their labels"}, "");
  s.test_data = keys.text({"test_data", "a file as of data (default: what train leaves)"}, "");
  s.test_labels = keys.text({"test_labels", "of IDX data"}, "");
  s.arrays = keys.texts({"arrays", "of NPZ data: the arrays of inputs and labels (default: x and y)"});
  s.test_arrays = keys.texts({"test_arrays", "of NPZ test data"});
  s.label_first = keys.choice({"label_column", "of CSV data"}, "last", {"last", "first"}) == "first";
  s.train = keys.integer({"train",
                          "without test_data: first samples of data that are the training set, the others "
                          "are the test set (default: 1024 of the digits)"},
                         0, 0, 100'000'000);
  s.shuffle = static_cast<std::uint64_t>(keys.integer(
      {"shuffle", "seed of the order in which data are taken, before train divides them; 0: as in the file"}, 0, 0,
      1'000'000'000));
  s.samples = keys.integer({"samples", "of the training set that are used, the first; 0: all"}, 0, 0, 100'000'000);
  s.inputs = keys.choice({"inputs",
                          "scaled: over the largest of the training set; standard: each with mean 0 and "
                          "deviation 1 there"},
                         "scaled", {"scaled", "standard", "raw"});
  return s;
}

LabelledSets read_sets(const Section& loss, const SetsSettings& s) {
  const bool digits = s.data == kDigits;
  const auto file =
      digits ? shared_file("data/digits.csv.gz", std::filesystem::path(SDE_SOURCE_SHARE) / "data/digits.csv.gz")
             : beside(loss, s.data);
  auto data = blaming(loss, "data", [&] {
    return read_labelled({file, beside(loss, s.labels), s.label_first, s.arrays});
  });
  if (!s.test_data.empty()) {
    if (s.train > 0) loss.fail("train", "with test_data all of data is the training set: expected one of the two");
    return {
        std::move(data), blaming(loss, "test_data", [&] {
          return read_labelled({beside(loss, s.test_data), beside(loss, s.test_labels), s.label_first, s.test_arrays});
        })};
  }
  const auto count = s.train > 0 ? static_cast<std::size_t>(s.train) : digits ? kDigitsForTraining : 0;
  if (count == 0)
    loss.fail("test_data", "missing: expected a file, or in `train` how many samples of data are not the test set");
  if (s.shuffle > 0) data = in_order(data, shuffled(data.rows(), s.shuffle));
  if (count >= data.rows())
    loss.fail("train", fmt::format("expected fewer than the {} samples that there are, got {}", data.rows(), count));
  return {first_rows(data, count), rows_from(data, count)};
}

void keep_samples(const Section& loss, const SetsSettings& s, LabelledSets& sets) {
  if (s.samples == 0) return;
  if (static_cast<std::size_t>(s.samples) > sets.training.rows())
    loss.fail("samples",
              fmt::format("expected at most the {} of the training set, got {}", sets.training.rows(), s.samples));
  sets.training = first_rows(sets.training, static_cast<std::size_t>(s.samples));
}

void transform(LabelledSets& sets, const std::string& inputs) {
  const std::size_t p = sets.training.features, n = sets.training.rows();
  std::vector<double> shift(p, 0.0), scale(p, 1.0);
  if (inputs == "scaled") {
    double largest = 0;
    for (const double v : sets.training.x) largest = std::max(largest, std::abs(v));
    if (largest > 0) scale.assign(p, largest);
  } else if (inputs == "standard") {
    for (std::size_t j = 0; j < p; ++j) {
      double squares = 0;
      for (std::size_t i = 0; i < n; ++i) shift[j] += sets.training.x[i * p + j] / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) squares += std::pow(sets.training.x[i * p + j] - shift[j], 2);
      if (squares > 0) scale[j] = std::sqrt(squares / static_cast<double>(n));
    }
  }
  for (auto* set : {&sets.training, &sets.test})
    for (std::size_t k = 0; k < set->x.size(); ++k) set->x[k] = (set->x[k] - shift[k % p]) / scale[k % p];
}

}  // namespace sde::experiment
