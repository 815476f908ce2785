// A tanh network on labelled data: targets, split and scaling against numbers from numpy, and what is refused.
#include "../src/experiment/tanh_on_data.hpp"

#include <fmt/format.h>

#include "data_files.hpp"

using namespace sde;
using namespace sde::experiment;
using sde::testing::DataFiles;
using sde::testing::message_of;

namespace {

const char* const kSix = "1,2,3\n3,5,7\n2,2,0\n4,1,3\n0,3,7\n5,5,0\n";

loss::WithStart<loss::TanhNetwork> read(const DataFiles& files, const std::string& keys) {
  const auto table = toml::parse(keys, files.path("own.toml").string());
  Section section(table, "loss");
  auto read = read_tanh_on_data(section);
  section.finish();
  return read;
}

}  // namespace

TEST_CASE("targets, split, scaling, residuals and both test errors are numpy's") {
  const DataFiles files;
  files.plain("six.csv", kSix);
  const std::string keys =
      "data = 'six.csv'\ntrain = 4\npositive = [7]\nnegative = [3]\ninputs = 'standard'\nwidth = 2\n";
  // Rows of class 0 are left out: three of the first four rows, one of the others.
  auto short_of = read(files, keys + "samples = 2\n").loss;
  CHECK(short_of.n == 2);
  auto network = read(files, keys).loss;
  REQUIRE(network.n == 3);
  REQUIRE(network.tests == 1);
  CHECK(network.y == std::vector<double>{-1, 1, -1});
  CHECK(network.X[0] == doctest::Approx(-1.33630621));
  CHECK(network.X[3] == doctest::Approx(1.37281295));
  CHECK(network.X_test[0] == doctest::Approx(-2.13808994));
  const double theta[] = {0.5, -1, 0.3, -0.2, 0.1, 0.7};
  double f[3];
  network.residuals(theta, f);
  CHECK(f[0] == doctest::Approx(1.2310792807335262).epsilon(1e-13));
  CHECK(f[1] == doctest::Approx(-1.852364019139735).epsilon(1e-13));
  CHECK(f[2] == doctest::Approx(1.7599280640615165).epsilon(1e-13));
  CHECK(network.test_error(theta) == 1);  // the output is -0.2196, the target 1
  network.y_test = {-1};
  CHECK(network.test_error(theta) == 0);
  network = read(files, keys + "test_error = 'squared'\n").loss;
  CHECK(network.test_error(theta) == doctest::Approx(1.4874054134307717).epsilon(1e-13));
}

TEST_CASE("without negative classes all others are; shuffled rows keep their targets; the start has its scale") {
  const DataFiles files;
  files.plain("six.csv", kSix);
  const std::string keys = "data = 'six.csv'\ntrain = 4\npositive = [7]\ninputs = 'raw'\nwidth = 500\n";
  const auto [network, start] = read(files, keys + "shuffle = 3\n");
  REQUIRE(network.n == 4);
  REQUIRE(network.tests == 2);
  for (int i = 0; i < network.n; ++i) {
    const bool seven = (network.X[2 * i] == 3 && network.X[2 * i + 1] == 5) || network.X[2 * i] == 0;
    CHECK(network.y[i] == (seven ? 1 : -1));
  }
  const auto mean_square = [&start = start](int first, int last) {  // Clang 14 captures no structured binding
    double sum = 0;
    for (int j = first; j < last; ++j) sum += start[j] * start[j];
    return sum / (last - first);
  };
  REQUIRE(start.size() == 1500);
  CHECK(mean_square(0, 500) * 500 == doctest::Approx(1).epsilon(0.2));
  CHECK(mean_square(500, 1500) * 2 == doctest::Approx(1).epsilon(0.2));
  CHECK(read(files, keys).start == read(files, keys + "shuffle = 1\n").start);
  CHECK(read(files, keys).start != read(files, keys + "init_seed = 2\n").start);
}

TEST_CASE("digits: odd ones against even ones, all of the test set") {
  const auto network = read(DataFiles(), "positive = [1, 3, 5, 7, 9]\nsamples = 100\n").loss;
  CHECK(network.n == 100);
  CHECK(network.inputs == 64);
  CHECK(network.tests == 773);
  CHECK(network.dim() == 16 * 65);
  CHECK(network.y[0] == -1);  // the first image is a 0, the second a 1
  CHECK(network.y[1] == 1);
}

TEST_CASE("what does not fit is refused, with file and line or row") {
  const DataFiles files;
  files.plain("six.csv", kSix);
  files.plain("text.csv", "1,2,3\n3,x,7\n");
  files.plain("wide.csv", "1,2,9,3\n3,5,9,7\n");
  const std::string six = "data = 'six.csv'\ntrain = 4\n";
  const auto said = [&](const std::string& keys) { return message_of([&] { read(files, keys); }); };
  const auto has = [](const std::string& text, const std::string& words) {
    INFO(text);
    CHECK(text.find(words) != std::string::npos);
  };
  has(said("data = 'text.csv'\ntrain = 1\npositive = [7]\n"), "own.toml:1: loss.data: ");
  has(said("data = 'text.csv'\ntrain = 1\npositive = [7]\n"), "text.csv: row 2: column 2: expected a number, got 'x'");
  has(said(six + "positive = [4]\n"), "six.csv: no sample of the positive classes [4]");
  has(said(six + "positive = [7, 3]\nnegative = [5]\n"), "six.csv: no sample of the negative classes");
  has(said(six + "positive = [7]\nnegative = [3, 7]\n"), "own.toml:4: loss.negative: class 7 is in positive, too");
  has(said(six + "positive = [0.5]\n"), "own.toml:3: loss.positive: expected classes, whole numbers from 0 to 999");
  has(said(six + "positive = [7]\nsamples = 5\n"), "loss.samples: expected at most the 4 of the training set, got 5");
  has(said(six + "positive = [7]\ntest_error = 'signs'\n"), "loss.test_error: ");
  has(said("data = 'six.csv'\ntest_data = 'wide.csv'\npositive = [7]\n"), "expected 2 numbers an input");
  has(said("data = 'six.csv'\ntest_data = 'six.csv'\npositive = [7]\n"), "row 1: this test input is that of");
  has(said("data = 'six.csv'\ntrain = 5\npositive = [7]\nnegative = [3]\n"), "no test sample of the classes");
  has(said("data = 'none.csv'\ntrain = 4\npositive = [7]\n"), "none.csv");
}
