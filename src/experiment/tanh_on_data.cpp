#include "tanh_on_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "../modules/models.hpp"
#include "labelled_sets.hpp"

namespace sde::experiment {

namespace {

using loss::TanhNetwork;

/// What [loss] says, but for the data themselves.
struct Settings {
  SetsSettings sets;
  std::vector<int> positive, negative;  ///< classes; no negative ones: all others
  int width = 16;
  bool signs = true;
  std::uint64_t seed = 1;
  double scale = 1;
};

std::vector<int> read_classes(Keys& keys, Key key) {
  std::vector<int> classes;
  for (const double c : keys.numbers(key)) {
    if (!(c >= 0 && c < kMostClasses && c == std::floor(c)))
      keys.fail(key.name, fmt::format("expected classes, whole numbers from 0 to {}, got {}", kMostClasses - 1, c));
    classes.push_back(static_cast<int>(c));
  }
  return classes;
}

bool among(const std::vector<int>& classes, int c) {
  return std::find(classes.begin(), classes.end(), c) != classes.end();
}

Settings read_settings(Keys& keys) {
  Settings s;
  s.width = static_cast<int>(keys.integer({"width", "neurons"}, 16, 1, 100'000));
  s.positive = read_classes(keys, {"positive", "classes whose target is 1 (default: [1])"});
  if (!keys.has("positive")) s.positive = {1};
  s.negative = read_classes(
      keys, {"negative", "classes whose target is -1; samples of neither are left out (default: all others)"});
  for (const int c : s.negative)
    if (among(s.positive, c)) keys.fail("negative", fmt::format("class {} is in positive, too", c));
  s.signs = keys.choice({"test_error",
                         "sign: share of outputs without their target's sign; squared: mean of (output - target)^2"},
                        "sign", {"sign", "squared"}) == "sign";
  s.sets = read_sets_settings(keys);
  s.seed = static_cast<std::uint64_t>(keys.integer({"init_seed", "of the random start"}, 1, 0, 1'000'000'000));
  s.scale = keys.positive({"init_scale", "of its weights, whose deviation is init_scale/sqrt(fan-in)"}, 1.0);
  return s;
}

double target(const Settings& s, int label) { return among(s.positive, label) ? 1.0 : -1.0; }

/// The samples that have a target.
LabelledData with_target(const Settings& s, const LabelledData& data) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < data.rows(); ++i)
    if (s.negative.empty() || among(s.negative, data.y[i]) || among(s.positive, data.y[i])) rows.push_back(i);
  return in_order(data, rows);
}

std::vector<double> targets(const Settings& s, const LabelledData& data) {
  std::vector<double> y;
  for (const int label : data.y) y.push_back(target(s, label));
  return y;
}

/// Both targets have to occur, or there is nothing to learn.
void check_targets(const Settings& s, const LabelledData& data) {
  const auto positive = std::count_if(data.y.begin(), data.y.end(), [&](int c) { return among(s.positive, c); });
  if (positive == 0)
    throw InputError(fmt::format("{}: no sample of the positive classes {}", data.labels_from, s.positive));
  if (positive == static_cast<long>(data.rows()))
    throw InputError(fmt::format("{}: no sample of the negative classes", data.labels_from));
}

std::vector<double> random_start(const TanhNetwork& network, double scale, std::uint64_t seed) {
  auto theta = loss::normal_data(seed, 9, network.dim());
  for (int j = 0; j < network.dim(); ++j)
    theta[static_cast<std::size_t>(j)] *= scale / std::sqrt(j < network.width ? network.width : network.inputs);
  return theta;
}

}  // namespace

const LossDescription& tanh_on_data() {
  static const LossDescription one = [] {
    Defaults defaults;
    read_settings(defaults);
    return LossDescription{"tanh_on_data", "1/(2n) sum_i (sum_k a_k tanh<w_k, x_i> - y_i)^2, y_i = 1 or -1",
                           std::move(defaults.asked)};
  }();
  return one;
}

loss::WithStart<TanhNetwork> read_tanh_on_data(Section& section) {
  const Settings s = read_settings(section);
  LabelledSets sets = read_sets(section, s.sets);
  const char* test_key = s.sets.test_data.empty() ? "data" : "test_data";
  sets = {with_target(s, sets.training), with_target(s, sets.test)};
  keep_samples(section, s.sets, sets);
  blaming(section, "data", [&] {
    check_targets(s, sets.training);
    return 0;
  });
  blaming(section, test_key, [&] {
    if (sets.test.y.empty())
      throw InputError(fmt::format("{}: no test sample of the classes that have a target", sets.test.labels_from));
    check_test_set(sets.training, sets.test, kMostClasses);
    return 0;
  });
  constexpr std::size_t kMostSamples = 65'535, kMostInputs = 10'000;
  if (sets.training.rows() > kMostSamples)
    section.fail("samples", fmt::format("{} samples: expected at most {}", sets.training.rows(), kMostSamples));
  if (sets.training.features > kMostInputs)
    section.fail("data", fmt::format("{} numbers an input: expected at most {}", sets.training.features, kMostInputs));
  transform(sets, s.sets.inputs);
  TanhNetwork network;
  network.n = static_cast<int>(sets.training.rows());
  network.inputs = static_cast<int>(sets.training.features);
  network.width = s.width;
  network.X = sets.training.x;
  network.y = targets(s, sets.training);
  network.tests = static_cast<int>(sets.test.rows());
  network.X_test = sets.test.x;
  network.y_test = targets(s, sets.test);
  network.signs = s.signs;
  auto start = random_start(network, s.scale, s.seed);
  return {std::move(network), std::move(start)};
}

NamedLoss make_tanh_on_data(Section& section) {
  auto [network, start] = read_tanh_on_data(section);
  section.finish();
  return {model_of(std::move(network)),
          Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size())),
          tanh_on_data().name,
          {},
          {}};
}

}  // namespace sde::experiment
