#include "perceptron.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "../modules/kernels.hpp"
#include "labelled/labelled_data.hpp"
#include "sde/random/streams.hpp"
#include "shared_file.hpp"

namespace sde::experiment {

namespace {

using network::Activation;
using network::Objective;

/// The digits' split: the first images are the training set, the other 773 the test set.
constexpr std::size_t kDigitsForTraining = 1024;
constexpr const char* kDigits = "digits";

/// What [loss] says, but for the data themselves.
struct Settings {
  network::Architecture net;  ///< its widths: those of the hidden layers
  network::Network network;
  std::string data, labels, test_data, test_labels, inputs;
  std::vector<std::string> arrays, test_arrays;
  bool label_first = false;
  long train = 0, samples = 0;
  std::uint64_t shuffle = 0;
  double scale = 1;
  std::uint64_t seed = 1;
};

void read_net(Keys& keys, network::Architecture& net) {
  const auto widths = keys.numbers({"widths", "units of each hidden layer; [] for none (default: [32])"});
  net.widths = {32};
  if (keys.has("widths")) {
    net.widths.clear();
    for (const double w : widths) {
      if (!(w >= 1 && w <= 100'000 && w == std::floor(w)))
        keys.fail("widths", fmt::format("expected whole numbers from 1 to 100000, got {}", w));
      net.widths.push_back(static_cast<int>(w));
    }
  }
  const std::string activation =
      keys.choice({"activation", "of the hidden units"}, "tanh", {"tanh", "relu", "softplus", "gelu"});
  for (const auto a : {Activation::tanh, Activation::relu, Activation::softplus, Activation::gelu})
    if (activation == network::name_of(a)) net.activation = a;
  net.objective = keys.choice({"objective", "of a sample; squared: 1/2 of the distance to 1 at its class, 0 elsewhere"},
                              "cross_entropy", {"cross_entropy", "squared"}) == "squared"
                      ? Objective::squared
                      : Objective::cross_entropy;
  net.weight_decay = keys.non_negative({"weight_decay", "adds weight_decay/2 |theta|^2"}, 0.0);
}

Settings read_settings(Keys& keys) {
  Settings s;
  read_net(keys, s.net);
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
  s.seed = static_cast<std::uint64_t>(keys.integer({"init_seed", "of the random start"}, 1, 0, 1'000'000'000));
  s.scale = keys.non_negative({"init_scale",
                               "of its weights, whose deviation is init_scale/sqrt(fan-in), times "
                               "sqrt(2) but for tanh"},
                              1.0);
  s.network.probes =
      static_cast<int>(keys.integer({"probes", "random vectors of the estimate of tr Hess"}, 16, 2, 10'000));
  s.network.curvature_of = static_cast<int>(keys.integer(
      {"curvature_samples", "training samples whose Hessian is observed, the first; 0: all"}, 0, 0, 100'000'000));
  return s;
}

/// A file's place is beside the experiment file.
std::filesystem::path beside(const Section& loss, const std::string& file) {
  const std::filesystem::path path = file;
  const auto& source = loss.table().source();
  if (path.empty() || path.is_absolute() || !source.path) return path;
  return std::filesystem::path(*source.path).parent_path() / path;
}

/// read(), and where it fails, which key is to blame.
template <class Read>
auto blaming(const Section& loss, const char* key, Read read) {
  try {
    return read();
  } catch (const InputError& e) {
    loss.fail(key, e.what());
  }
}

struct Sets {
  LabelledData training, test;
};

/// The numbers below n in an order drawn from the seed (Fisher-Yates).
std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  random::IndexStream<double> words({seed, 0, 0}, random::Purpose::shuffle, 0);
  for (std::size_t i = n; i-- > 1;) std::swap(order[i], order[words.next(static_cast<std::uint32_t>(i + 1))]);
  return order;
}

Sets read_sets(const Section& loss, const Settings& s) {
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

/// x - shift over scale, of each feature.
void transform(Sets& sets, const std::string& inputs) {
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

std::shared_ptr<const network::Samples> samples_of(const LabelledData& data, int classes) {
  return std::make_shared<const network::Samples>(
      network::make_samples(data.x, static_cast<int>(data.features), data.y, classes));
}

}  // namespace

const LossDescription& perceptron() {
  static const LossDescription one = [] {
    Defaults defaults;
    read_settings(defaults);
    return LossDescription{"perceptron", "1/n sum_i objective(network(x_i), y_i) + weight_decay/2 |theta|^2",
                           std::move(defaults.asked)};
  }();
  return one;
}

NamedLoss make_perceptron(Section& loss) {
  Settings s = read_settings(loss);
  Sets sets = read_sets(loss, s);
  if (s.samples > 0) {
    if (static_cast<std::size_t>(s.samples) > sets.training.rows())
      loss.fail("samples",
                fmt::format("expected at most the {} of the training set, got {}", sets.training.rows(), s.samples));
    sets.training = first_rows(sets.training, static_cast<std::size_t>(s.samples));
  }
  const int classes = blaming(loss, "data", [&] { return classes_of(sets.training); });
  blaming(loss, s.test_data.empty() ? "data" : "test_data", [&] {
    check_test_set(sets.training, sets.test, classes);
    return 0;
  });
  transform(sets, s.inputs);
  auto& net = s.net;
  net.widths.insert(net.widths.begin(), static_cast<int>(sets.training.features));
  net.widths.push_back(classes);
  double parameters = 0;
  for (int l = 0; l < net.layers(); ++l) parameters += (net.widths[l] + 1.0) * net.widths[l + 1];
  constexpr double kMostParameters = 10'000'000;
  if (parameters > kMostParameters)
    loss.fail("widths", fmt::format("{} parameters: expected at most {}", parameters, kMostParameters));
  s.network.net = net;
  s.network.training = samples_of(sets.training, classes);
  s.network.test = samples_of(sets.test, classes);
  const auto start = network::random_start(net, s.scale, s.seed);
  loss.finish();
  return {kernels().network(std::move(s.network)),
          Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size())),
          perceptron().name,
          {},
          {}};
}

}  // namespace sde::experiment
