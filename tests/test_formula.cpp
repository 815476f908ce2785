// Formulas: what is read, what is refused and where, derivatives, and programs.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <random>

#include "sde/formula/derivative.hpp"
#include "sde/formula/evaluate.hpp"
#include "sde/formula/names.hpp"
#include "sde/formula/parse.hpp"

using namespace sde;
using namespace sde::formula;

namespace {

/// x, y, z, and the vector w of three numbers.
struct Scene {
  Graph graph;
  Names names;
  std::vector<std::string> variables{"x", "y", "z", "w[1]", "w[2]", "w[3]"};
  std::vector<Id> inputs;
  Scene() {
    for (int k = 0; k < 6; ++k) inputs.push_back(graph.input(Source::variable, k));
    names.values = {{"x", {{inputs[0]}}},
                    {"y", {{inputs[1]}}},
                    {"z", {{inputs[2]}}},
                    {"w", {{inputs[3], inputs[4], inputs[5]}, true}}};
  }
  Id parse(const std::string& text) { return formula::parse(graph, names, text); }
};
constexpr double kPoint[6] = {0.7, -1.3, 2.1, 0.4, -0.6, 1.5};

Numbers numbers_of(const Graph& g, const Scalars& scalars) {
  Numbers numbers;
  for (const Id id : scalars.constants)  // a constant that is not folded is not finite, such as 1/0
    numbers.constants.push_back(g.is_constant(id) ? g[id].value : std::nan(""));
  return numbers;
}

/// Values of roots at theta, by their program.
template <class T>
std::vector<T> values(Graph& g, const std::vector<Id>& roots, const std::vector<T>& theta) {
  std::vector<Output> outputs;
  for (const Id root : roots) outputs.push_back({root, static_cast<int>(outputs.size())});
  Scalars scalars;
  const Program program = lower(g, scalars, outputs, false);
  std::vector<T> out(roots.size());
  evaluate<T>(program, numbers_of(g, scalars), 0, {.variables = theta.data(), .output = out.data()});
  return out;
}

double value(const std::string& text) {
  Scene s;
  const Id root = s.parse(text);
  return values<double>(s.graph, {root}, {std::begin(kPoint), std::end(kPoint)})[0];
}

}  // namespace

TEST_CASE("what is read") {
  const auto [x, y, z, w1, w2, w3] = std::tuple(0.7, -1.3, 2.1, 0.4, -0.6, 1.5);
  const std::pair<const char*, double> known[] = {
      {"1/2 (y - x^3)^2 (1 + x^2)", 0.5 * std::pow(y - x * x * x, 2) * (1 + x * x)},
      {"2 x y", 2 * x * y},
      {"2x", 2 * x},
      {"-x^2", -x * x},
      {"2^-1 x", x / 2},
      {"2^3^2", 512},
      {"x - y - z", x - y - z},
      {"x/y/z", x / y / z},
      {"(x + 1)(y + 2)", (x + 1) * (y + 2)},
      {"x (y + 1)", x * (y + 1)},
      {"--x", x},
      {"x*-y", -x * y},
      {"3 sin(x)cos(y)", 3 * std::sin(x) * std::cos(y)},
      {"2 pi", 2 * std::acos(-1.0)},
      {"2e", 2 * std::exp(1.0)},
      {"2e1x", 20 * x},
      {".5x", 0.5 * x},
      {"sum(w)", w1 + w2 + w3},
      {"sum(w^2)", w1 * w1 + w2 * w2 + w3 * w3},
      {"dot(w, w)", w1 * w1 + w2 * w2 + w3 * w3},
      {"dot(2 w + x, w*w)", (2 * w1 + x) * w1 * w1 + (2 * w2 + x) * w2 * w2 + (2 * w3 + x) * w3 * w3},
      {"w[2] x", w2 * x},
      {"sqrt(z)^3", std::pow(z, 1.5)},
      {"z^1.5", std::pow(z, 1.5)},
      {"z^0.3", std::pow(z, 0.3)},
      {"z^x", std::pow(z, x)},
      {"exp(x) + log(z) + tan(x) + sinh(y) + cosh(y) + tanh(y)",
       std::exp(x) + std::log(z) + std::tan(x) + std::sinh(y) + std::cosh(y) + std::tanh(y)},
      {"atan(y) + erf(y) + softplus(y) + logcosh(y) + relu(y) + relu(x) + sigmoid(y)",
       std::atan(y) + std::erf(y) + std::log1p(std::exp(y)) + std::log(std::cosh(y)) + x + 1 / (1 + std::exp(-y))},
      {"1 / 3", 1.0 / 3},
      {"x\n + y", x + y},
  };
  for (const auto& [text, right] : known) {
    CAPTURE(text);
    CHECK(value(text) == doctest::Approx(right).epsilon(1e-14));
  }
}

TEST_CASE("what is refused, and where") {
  const std::tuple<const char*, std::size_t, const char*> wrong[] = {
      {"", 0, "expected a formula"},
      {"2 *", 3, "expected a number, a name or '('"},
      {"1/2 (y - x", 4, "this '(' is never closed"},
      {"x)", 1, "closes nothing"},
      {"1/2x", 3, "read in two ways"},
      {"x/y z", 4, "read in two ways"},
      {"1/2(x)", 3, "read in two ways"},
      {"2 3", 2, "two numbers"},
      {"x(y)", 0, "'x' is no function"},
      {"sqr (x)", 0, "did you mean 'sqrt'?"},
      {"xy", 0, "a product is written 'x y'"},
      {"x**2", 1, "written with ^"},
      {"1e999 x", 0, "too large"},
      {"1e-999 x", 0, "too large or too small"},
      {"1.2.3", 0, "expected a number such as"},
      {"x ! y", 2, "unexpected '!'"},
      {"x \xc2\xb2", 2, "unexpected '\xc2\xb2'"},
      {"x \xff", 2, "unexpected '\\xff'"},
      {"w", 0, "is a vector of 3 numbers"},
      {"w[4]", 2, "from 1 to 3"},
      {"w[0]", 2, "from 1 to 3"},
      {"x[1]", 1, "has no entries"},
      {"sum(x)", 0, "takes a vector"},
      {"dot(w)", 5, "two vectors"},
      {"dot(w, x)", 0, "got a number"},
      {"sin", 3, "expected '('"},
      {"sin(x, y)", 5, "takes one argument"},
      {"unknown_name", 0, "unknown name 'unknown_name'"},
  };
  for (const auto& [text, column, message] : wrong) {
    CAPTURE(text);
    Scene s;
    try {
      s.parse(text);
      FAIL("was read");
    } catch (const SyntaxError& e) {
      CHECK(e.column == column);
      CAPTURE(e.what());
      CHECK(std::string(e.what()).find(message) != std::string::npos);
    }
  }
  Scene s;
  CHECK_THROWS_AS(s.parse(std::string(10'000, '(')), SyntaxError);
  CHECK_THROWS_AS(s.parse(std::string(10'000, '-') + "x"), SyntaxError);
  std::string tower = "x";
  for (int k = 0; k < 10'000; ++k) tower += "^x";
  CHECK_THROWS_AS(s.parse(tower), SyntaxError);
  CHECK_THROWS_AS(s.parse(std::string(1 << 20, 'x')), InputError);
  // What is long but flat is read: a sum of 20,000 terms, a product of 20,000 factors, and its square.
  std::string sum = "x", product = "x";
  for (int k = 0; k < 10'000; ++k) sum += "+y", product += " y";
  CHECK_NOTHROW(s.parse(sum));
  CHECK_NOTHROW(s.parse("(" + product + ")^2"));
}

TEST_CASE("a caret stands below the mistake") {
  Scene s;
  try {
    s.parse("x + \xc2\xb5 y");
  } catch (const SyntaxError& e) {
    CHECK(std::string(e.what()).find("\n  x + \xc2\xb5 y\n      ^") != std::string::npos);
  }
  try {  // in a long line, in a window of it
    s.parse(std::string(500, ' ') + "x + ! y" + std::string(500, ' '));
  } catch (const SyntaxError& e) {
    const std::string what = e.what();
    const auto line = what.find('\n') + 1, below = what.find('\n', line) + 1;
    CHECK(what[line + (what.rfind('^') - below)] == '!');
    CHECK(what.size() < 300);
  }
}

TEST_CASE("names that nothing defines are found, in the order of coordinates") {
  CHECK(names_in("a x2 + sin(x10) x1 + pi e + b") == std::vector<std::string>{"a", "x2", "x10", "x1", "b"});
  std::vector<std::string> names{"y", "x10", "x2", "x", "theta"};
  sort_names(names);
  CHECK(names == std::vector<std::string>{"theta", "x", "x2", "x10", "y"});
  CHECK(!problem_with_name("sin").empty());
  CHECK(!problem_with_name("e").empty());
  CHECK(!problem_with_name("i").empty());
  CHECK(!problem_with_name("2x").empty());
  CHECK(!problem_with_name("").empty());
  CHECK(problem_with_name("theta_1").empty());
}

namespace {

/// A random expression of about `size` operations.
class RandomTree {
 public:
  RandomTree(Graph& g, const std::vector<Id>& inputs, std::mt19937& random) : g_(g), inputs_(inputs), random_(random) {}
  Id make(int size) {
    if (size <= 0) {
      if (below(4) == 0) return g_.constant(std::round(100 * (uniform() - 0.3)) / 20);
      return inputs_[static_cast<std::size_t>(below(static_cast<int>(inputs_.size())))];
    }
    switch (below(9)) {
      case 0:
      case 1:
        return g_.add(make((size - 1) / 2), make(size - 1 - (size - 1) / 2));
      case 2:
        return g_.subtract(make((size - 1) / 2), make(size - 1 - (size - 1) / 2));
      case 3:
      case 4:
        return g_.multiply(make((size - 1) / 2), make(size - 1 - (size - 1) / 2));
      case 5:
        return g_.divide(make((size - 1) / 2), make(size - 1 - (size - 1) / 2));
      case 6:
        return g_.power(make(size - 1), 0.5 * (below(9) - 3));
      case 7:
        return g_.negate(make(size - 1));
      default: {
        constexpr int count = static_cast<int>(Op::sigmoid) - static_cast<int>(kFirstFunction) + 1;
        return g_.function(static_cast<Op>(static_cast<int>(kFirstFunction) + below(count)), make(size - 1));
      }
    }
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  double uniform() { return static_cast<double>(random_()) / 4294967296.0; }
  Graph& g_;
  const std::vector<Id>& inputs_;
  std::mt19937& random_;
};

/// Equal but for what a few roundings on the way make of it, or neither a usual number. `size`: of what was added up.
bool agree(double a, double b, double size) {
  if (!std::isfinite(a) || !std::isfinite(b) || !std::isfinite(size) || std::abs(a) > 1e100) return true;
  return std::abs(a - b) <= 1e-9 * (std::abs(a) + size + 1e-12);
}

}  // namespace

TEST_CASE("a random expression, printed and read again, has the same value and derivatives: 10,000 trees") {
  std::mt19937 random(1);
  int finite = 0, unusual = 0, compared = 0;
  for (int trial = 0; trial < 10'000; ++trial) {
    Scene a, b;
    const Id root = RandomTree(a.graph, a.inputs, random).make(1 + static_cast<int>(random() % 24));
    const std::string text = print(a.graph, root, a.variables);
    CAPTURE(text);
    const Id read = b.parse(text);
    std::vector<Id> roots{root}, reads{read};
    for (const Id slope : gradient(a.graph, root, a.inputs)) roots.push_back(slope);
    for (const Id slope : gradient(b.graph, read, b.inputs)) reads.push_back(slope);
    const std::vector<double> theta(std::begin(kPoint), std::end(kPoint));
    const auto left = values(a.graph, roots, theta), right = values(b.graph, reads, theta);
    finite += std::isfinite(left[0]);
    // What is rounded on the way, of which nothing may be left in the end.
    std::vector<Id> all;
    const auto needed = reachable(a.graph, roots);
    for (Id id = 0; id < static_cast<Id>(needed.size()); ++id)
      if (needed[static_cast<std::size_t>(id)]) all.push_back(id);
    double size = 0;
    for (const double v : values(a.graph, all, theta)) size = std::max(size, std::abs(v));
    for (std::size_t k = 0; k < left.size(); ++k) {
      // One of both may be simplified where the other meets 0/0; where both are numbers they are the same.
      ++compared;
      unusual += std::isfinite(left[k]) != std::isfinite(right[k]);
      CAPTURE(k);
      REQUIRE(agree(left[k], right[k], size));
    }
  }
  CHECK(finite > 4000);
  CHECK(unusual < compared / 500);
}

TEST_CASE("symbolic derivatives are those of automatic differentiation, to the third order") {
  std::mt19937 random(2);
  int checked = 0;
  using One = Dual<double, 1>;
  using Two = Dual<One, 1>;
  using Three = Dual<Two, 1>;
  const double direction[6] = {0.3, -0.5, 0.2, 0.7, 0.1, -0.4};
  for (int trial = 0; trial < 3'000; ++trial) {
    Scene s;
    const Id root = RandomTree(s.graph, s.inputs, random).make(1 + static_cast<int>(random() % 12));
    CAPTURE(print(s.graph, root, s.variables));
    std::vector<Id> u;
    for (const double c : direction) u.push_back(s.graph.constant(c));
    const Id first = along(s.graph, {root}, s.inputs, u).front();
    const Id second = along(s.graph, {first}, s.inputs, u).front();
    const Id third = along(s.graph, {second}, s.inputs, u).front();
    const auto backwards = gradient(s.graph, second, s.inputs);  // the third derivative the other way
    std::vector<Id> roots{root, first, second, third};
    roots.insert(roots.end(), backwards.begin(), backwards.end());
    const auto symbolic = values<double>(s.graph, roots, {std::begin(kPoint), std::end(kPoint)});
    std::vector<Three> theta(6);
    for (std::size_t k = 0; k < 6; ++k) {
      One one(kPoint[k]);
      one.d[0] = direction[k];
      Two two(one);
      two.d[0] = One(direction[k]);
      theta[k] = Three(two);
      theta[k].d[0] = Two(direction[k]);
    }
    const Three y = values<Three>(s.graph, {root}, theta)[0];
    double third_backwards = 0, terms = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      third_backwards += direction[k] * symbolic[4 + k];
      terms += std::abs(symbolic[4 + k]);
    }
    const double size = std::abs(symbolic[0]);
    REQUIRE(agree(symbolic[0], y.v.v.v, 0));
    REQUIRE(agree(symbolic[1], y.d[0].v.v, size));
    REQUIRE(agree(symbolic[2], y.d[0].d[0].v, size + std::abs(symbolic[1])));
    REQUIRE(agree(symbolic[3], y.d[0].d[0].d[0], size + std::abs(symbolic[2])));
    REQUIRE(agree(symbolic[3], third_backwards, terms + size + std::abs(symbolic[1]) + std::abs(symbolic[2])));
    checked += std::isfinite(symbolic[3]) && symbolic[3] != 0;
  }
  CHECK(checked > 700);
}

TEST_CASE("what is left of roots is no number where they are none") {
  Scene s;
  const Id root = s.parse("sqrt(x)^2"), whole = s.parse("sqrt(y)*sqrt(y)"), gone = s.parse("sqrt(x^2)");
  const auto at = values<double>(s.graph, {root, whole, gone}, {-2, -3, 0, 0, 0, 0});
  CHECK(std::isnan(at[0]));
  CHECK(std::isnan(at[1]));
  CHECK(at[2] == 2);
}

TEST_CASE("equal subexpressions are computed once, and slots are used again") {
  Scene s;
  const Id once = s.parse("(x + y)^2 + exp(x + y)"), twice = s.parse("(y + x)^2 exp(y + x)");
  Scalars scalars;
  const auto program = lower(s.graph, scalars, {{once, 0}, {twice, 1}}, false);
  // x + y, its square, its exp, a sum and a product; two outputs.
  CHECK(program.once.size() == 7);
  Scalars more;
  std::string sum = "0";
  for (int k = 1; k < 50; ++k) sum += fmt::format("+ sin({} x)", k);
  CHECK(lower(s.graph, more, {{s.parse(sum), 0}}, false).slots <= 3);
}

TEST_CASE("lanes and single numbers have the same bits") {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    Scene s;
    const Id root = RandomTree(s.graph, s.inputs, random).make(10);
    std::vector<Pack<double, 1>> one(6);
    std::vector<Pack<double, 8>> eight(6);
    for (int l = 0; l < 8; ++l)
      for (std::size_t k = 0; k < 6; ++k) eight[k].set(l, kPoint[k] + 0.1 * l);
    for (std::size_t k = 0; k < 6; ++k) one[k] = Pack<double, 1>(eight[k][5]);
    const double a = values(s.graph, {root}, one)[0][0], b = values(s.graph, {root}, eight)[0][5];
    REQUIRE((a == b || (std::isnan(a) && std::isnan(b))));
  }
}
