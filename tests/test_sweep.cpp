// Sweeps: what a file and a command line make of swept keys, and what they refuse.
#include <doctest/doctest.h>

#include <set>

#include "../src/experiment/sweep.hpp"
#include "../src/experiment/sweep_dataset.hpp"

using namespace sde;
using namespace sde::experiment;

namespace {

const std::string kFile = R"(
[experiment]
paths = 8
time = 0.1
observations = 2
[loss]
name = "hyperbola"
[noise]
kind = "label"
[training]
eta = 0.02
workers = 2
batch = 4
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_local_sgd"
)";

FileText with(const std::string& sweep) { return {"own.toml", kFile + sweep}; }

Sweep command_line(const std::vector<std::string>& sweep, bool zip = false) {
  return read_sweep(with(""), {}, sweep, zip);
}

std::vector<std::string> texts(const std::string& key, const std::string& values) {
  std::vector<std::string> all;
  for (const auto& v : sweep_values(key, values, "--sweep")) all.push_back(v.text);
  return all;
}
using Texts = std::vector<std::string>;

/// The message of the InputError that f throws.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "(accepted)";
}
#define CHECK_REFUSED(words, ...) \
  CHECK_MESSAGE(message_of([&] { __VA_ARGS__; }).find(words) != std::string::npos, message_of([&] { __VA_ARGS__; }))

}  // namespace

TEST_CASE("ranges: exact ends, short values, whole numbers where the key takes no others") {
  CHECK(texts("training.H", "geom:5:40:4") == Texts{"5", "10", "20", "40"});
  CHECK(texts("training.H", "geom:5:100:4") == Texts{"5", "14", "37", "100"});
  CHECK(texts("training.eta", "geom:0.0025:0.04:5") == Texts{"0.0025", "0.005", "0.01", "0.02", "0.04"});
  CHECK(texts("training.eta", "geom:0.04:0.01:3") == Texts{"0.04", "0.02", "0.01"});
  CHECK(texts("training.beta", "lin:0:1:5") == Texts{"0", "0.25", "0.5", "0.75", "1"});
  CHECK(texts("experiment.paths", "lin:1:10:3") == Texts{"1", "6", "10"});
  CHECK(texts("loss.depth", "lin:2:4:3") == Texts{"2", "3", "4"});
  const auto odd = sweep_values("training.eta", "geom:0.1:0.3:4", "");
  CHECK(*odd.front().number == 0.1);
  CHECK(*odd.back().number == 0.3);
}

TEST_CASE("lists: numbers, words with and without quotes, arrays") {
  CHECK(texts("training.eta", "0.01,1e-3,2") == Texts{"0.01", "0.001", "2"});
  CHECK(sweep_values("training.schedule", "constant,cosine", "")[0].shown() == "constant");
  CHECK(sweep_values("training.schedule", "\"step\",\"cosine\"", "")[1].shown() == "cosine");
  CHECK(sweep_values("start.at", "[1, 0],[0, 1]", "").size() == 2);
  CHECK(!sweep_values("start.at", "[1, 0],[0, 1]", "")[0].number);
  CHECK(sweep_values("training.refined", "true,false", "")[0].text == "true");
}

TEST_CASE("a product: every combination, the last key fastest; a cell is the file with these values") {
  const auto s = command_line({"training.eta=0.01,0.02", "training.H=geom:5:20:3"});
  REQUIRE(s.cells() == 6);
  CHECK(s.overrides(0) == Texts{"training.eta=0.01", "training.H=5"});
  CHECK(s.overrides(4) == Texts{"training.eta=0.02", "training.H=10"});
  CHECK(s.describe(4) == "eta = 0.02, H = 10");
  std::set<Texts> all;
  for (std::size_t c = 0; c < s.cells(); ++c) all.insert(s.overrides(c));
  CHECK(all.size() == 6);
  CHECK(load(with(""), s.overrides(4)).source == load(with(""), {"training.eta=0.02", "training.H=10"}).source);
  CHECK(load(with(""), s.overrides(4)).methods[1].algorithm.sync.H == 10);
}

TEST_CASE("zip: one cell for each place in the lists") {
  const auto s = command_line({"training.eta=0.01,0.02", "training.H=20,10"}, true);
  REQUIRE(s.cells() == 2);
  CHECK(s.describe(1) == "eta = 0.02, H = 10");
}

TEST_CASE("[sweep] in a file: the order of its lines, quoted keys or not, mode; the source repeats it") {
  const auto file = with("[sweep]\nmode = \"zip\"\ntraining.eta = [0.02, 0.01]\n\"method.*.H\" = \"lin:5:10:2\"\n");
  const auto s = read_sweep(file, {}, {}, false);
  CHECK(s.zip);
  REQUIRE(s.axes.size() == 2);
  CHECK(s.axes[0].key == "training.eta");
  CHECK(s.axes[1].label == "H");
  CHECK(!s.axes[0].whole());
  CHECK(s.axes[1].whole());
  const auto e = load(file, s.overrides(1));
  CHECK(e.swept);
  CHECK(e.methods[0].algorithm.sync.H == 10);
  CHECK(e.methods[1].algorithm.sync.H == 10);
  CHECK(e.source.find("sweep") == std::string::npos);
  const auto again = read_sweep({"own.toml", s.source()}, {}, {}, false);
  CHECK(again.zip);
  for (std::size_t c = 0; c < s.cells(); ++c) CHECK(again.overrides(c) == s.overrides(c));
  CHECK(again.base == s.base);
}

TEST_CASE("--sweep replaces a key of the file, and adds others behind it") {
  const auto file = with("[sweep]\ntraining.eta = [0.02, 0.01]\n");
  const auto s = read_sweep(file, {}, {"training.H=5,6", "training.eta=0.04,0.03"}, false);
  CHECK(s.describe(0) == "eta = 0.04, H = 5");
}

TEST_CASE("labels are the last words of the keys, or all where those are taken") {
  const auto s = command_line({"method.0.H=5,6", "method.1.H=5,6", "experiment.time=0.1,0.2", "training.seed=1,2"});
  Texts labels;
  for (const auto& a : s.axes) labels.push_back(a.label);
  CHECK(labels == Texts{"method_0_H", "method_1_H", "experiment_time", "seed"});
}

TEST_CASE("* in --set is every method, or the only one") {
  auto e = load(with(""), {"method.*.H=7"});
  CHECK(e.methods[0].algorithm.sync.H == 7);
  CHECK(e.methods[1].algorithm.sync.H == 7);
  toml::table single = toml::parse("[method]\nkind = \"sgd\"");
  assign(single, "method.*.eta=0.5");
  CHECK(single["method"]["eta"].value<double>() == 0.5);
  CHECK_REFUSED("is not a table", assign(single, "method.kind.*.eta=0.5"));
}

TEST_CASE("bad sweeps are refused, with what was expected") {
  CHECK_REFUSED("expected key=values", command_line({"training.eta"}));
  CHECK_REFUSED("value 2 is empty", command_line({"training.eta=0.1,,0.2"}));
  CHECK_REFUSED("no value", command_line({"training.eta="}));
  CHECK_REFUSED("finite", command_line({"training.eta=nan,1"}));
  CHECK_REFUSED("geom:first:last:count", command_line({"training.eta=geom:1:2"}));
  CHECK_REFUSED("first value, got 'a'", command_line({"training.eta=geom:a:2:3"}));
  CHECK_REFUSED("last value, got '2x'", command_line({"training.eta=lin:1:2x:3"}));
  CHECK_REFUSED("above 0", command_line({"training.eta=geom:0:2:3"}));
  CHECK_REFUSED("a count from 2 to 4096, got '0'", command_line({"training.eta=geom:1:2:0"}));
  CHECK_REFUSED("a count from 2 to 4096, got '1'", command_line({"training.eta=geom:1:2:1"}));
  CHECK_REFUSED("a count from 2 to 4096, got '2.5'", command_line({"training.eta=geom:1:2:2.5"}));
  CHECK_REFUSED("a count from 2 to 4096, got '-3'", command_line({"training.eta=geom:1:2:-3"}));
  CHECK_REFUSED("the value 1 twice", command_line({"training.H=geom:1:3:9"}));
  CHECK_REFUSED("the value 0.1 twice", command_line({"training.eta=0.1,0.2,0.1"}));
  CHECK_REFUSED("the same key twice", command_line({"training.eta=1,2", "training.eta=3,4"}));
  CHECK_REFUSED("name the same key", command_line({"method.*.H=1,2", "method.1.H=3,4"}));
  CHECK_REFUSED("10000 cells: expected at most 4096",
                command_line({"training.eta=lin:1:2:100", "training.H=lin:1:100:100"}));
  CHECK_REFUSED("H has 3", command_line({"training.eta=1,2", "training.H=3,4,5"}, true));
  CHECK_REFUSED("the sweep varies training.eta",
                read_sweep(with(""), {"training.eta=0.1"}, {"training.eta=1,2"}, false));
  CHECK_REFUSED("the sweep varies method.*.H", read_sweep(with(""), {"method.0.H=1"}, {"method.*.H=1,2"}, false));
  CHECK_REFUSED("--zip", command_line({}, true));
  CHECK_REFUSED("expected method.*.kind", command_line({"training.kind=sgd,qsr"}));
  CHECK_REFUSED("own.toml:20: sweep.training.eta: got 0.1",
                read_sweep(with("[sweep]\n\ntraining.eta = 0.1\n"), {}, {}, false));
  CHECK_REFUSED("own.toml:19: sweep.training.eta: no value",
                read_sweep(with("[sweep]\ntraining.eta = []\n"), {}, {}, false));
  CHECK_REFUSED("own.toml:19: sweep.mode", read_sweep(with("[sweep]\nmode = \"both\"\n"), {}, {}, false));
  CHECK_REFUSED("names no key", read_sweep(with("[sweep]\n"), {}, {}, false));
  CHECK_REFUSED("expected a table", read_sweep({"own.toml", "sweep = 3\n" + kFile}, {}, {}, false));
}
