// Losses typed as formulas: their members, beside automatic differentiation; beside the built-in losses; claim 1.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "../src/experiment/experiment.hpp"
#include "../src/experiment/formula.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/formula/parse.hpp"
#include "sde/loss/data.hpp"
#include "sde/loss/derivatives.hpp"
#include "sde/loss/diagonal_network.hpp"
#include "sde/loss/flat.hpp"
#include "sde/loss/formula.hpp"
#include "sde/loss/matrix_sensing.hpp"
#include "sde/loss/tanh_network.hpp"
#include "sde/manifold/second_derivative.hpp"
#include "sde/model/dense_geometry.hpp"

using namespace sde;
using slow::Term;
using slow::Vector;

namespace {

/// A loss from the text of [loss].
experiment::NamedLoss typed(const std::string& text) {
  const auto table = toml::parse(text);
  experiment::Section section(table, "loss");
  return experiment::make_loss(section);
}

/// The residuals or the value of x, y, z, with the columns p, q of two rows where they occur.
std::shared_ptr<formula::BoundLoss> bound(const std::vector<std::string>& residuals, const std::string& value,
                                          bool by_row) {
  formula::LossSystem s;
  s.variables = {"x", "y", "z"};
  s.parameters = {"a", "n"};
  if (by_row) s.columns = {"p", "q"};
  s.by_row = by_row;
  formula::Names names;
  for (int k = 0; k < 3; ++k)
    names.values[s.variables[std::size_t(k)]] = {{s.graph.input(formula::Source::variable, k)}};
  names.values["a"] = {{s.graph.input(formula::Source::parameter, 0)}};
  names.values["p"] = {{s.graph.input(formula::Source::column, 0)}};
  names.values["q"] = {{s.graph.input(formula::Source::column, 1)}};
  for (const auto& text : residuals) s.residuals.push_back(formula::parse(s.graph, names, text));
  if (!value.empty()) s.value = formula::parse(s.graph, names, value);
  auto out = std::make_shared<formula::BoundLoss>();
  out->programs = formula::programs_of(s);
  const std::vector<double> data = by_row ? std::vector{0.3, -1.1, 0.9, 0.5} : std::vector<double>{};
  const double n = static_cast<double>(residuals.size()) * (by_row ? 2 : 1);
  out->numbers = formula::numbers_of(s, out->programs, {0.4, n}, data);
  return out;
}

void near(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k] == doctest::Approx(b[k]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("members of residuals are those of automatic differentiation") {
  const double theta[] = {0.7, 0.4, 1.2}, w[] = {0.3, -0.8, 0.5, 1.1}, u[] = {0.2, 0.9, -0.4};
  const std::tuple<std::vector<std::string>, bool> all[] = {
      {{"x y - 1 + a z^3"}, false},
      {{"sqrt(1 + a x) (x^2 + y^2 - 1)", "exp(x z) - y", "x/z + tanh(y)"}, false},
      {{"p x y - q + z^2 sin(p y)"}, true},
      {{"p x - q y^2", "softplus(p z) x y + q"}, true},
  };
  for (const auto& [texts, by_row] : all) {
    CAPTURE(texts.front());
    const loss::FormulaResiduals<kDynamic> l(bound(texts, "", by_row));
    const auto d = std::size_t(l.dim()), n = std::size_t(l.residual_count());
    CHECK(n == texts.size() * (by_row ? 2 : 1));
    std::vector<double> J(n * d), automatic(n * d), g(d), h(d);
    l.jacobian(theta, J.data());
    loss::jacobian_automatic(l, theta, automatic.data());
    near(J, automatic);
    l.pullback(theta, w, g.data());
    loss::pullback_automatic(l, theta, w, h.data());
    near(g, h);
    l.weighted_hvp(theta, w, u, g.data());
    loss::weighted_hvp_automatic(l, theta, w, u, h.data());
    near(g, h);
    l.gradient(theta, g.data());
    loss::gradient_automatic(l, theta, h.data());
    near(g, h);
  }
}

TEST_CASE("members of a value are those of automatic differentiation") {
  const double theta[] = {0.7, 0.4, 1.2}, u[] = {0.2, 0.9, -0.4};
  for (const char* text : {"logcosh(x y - 1) + a z^2", "1/2 (y - x^3)^2 (1 + x^2) exp(-z)", "x^4 y/z + atan(x z)"}) {
    CAPTURE(text);
    const loss::FormulaValue l(bound({}, text, false));
    std::vector<double> g(3), h(3), H(9), K(9);
    l.gradient(theta, g.data());
    loss::gradient_automatic(l, theta, h.data());
    near(g, h);
    l.hessian(theta, H.data());
    for (std::size_t j = 0; j < 3; ++j) {
      double unit[3] = {};
      unit[j] = 1;
      l.hessian_vector(theta, unit, K.data() + 3 * j);
    }
    near(H, K);
    // The third derivative along u: differences of Hess u, of error h^2.
    l.third_along(theta, u, g.data());
    std::vector<double> ahead(3), behind(3);
    const double step = 1e-5;
    for (const double sign : {1.0, -1.0}) {
      double moved[3];
      for (int k = 0; k < 3; ++k) moved[k] = theta[k] + sign * step * u[k];
      l.hessian_vector(moved, u, sign > 0 ? ahead.data() : behind.data());
    }
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(g[k] == doctest::Approx((ahead[k] - behind[k]) / (2 * step)).epsilon(1e-7));
  }
}

namespace {

/// The terms of two models at one point of Gamma, to 1e-12 of their size.
void same_terms(const LossModel& a, const LossModel& b, Vector point) {
  manifold::FlowMap flow(a);
  flow(point.data());
  const int d = a.dim();
  REQUIRE(b.dim() == d);
  Noise noise;
  noise.rank = d;
  noise.factor = loss::normal_data(11, 50, d * d);
  std::unique_ptr<slow::PointTerms> terms[2];
  const LossModel* models[] = {&a, &b};
  for (int m = 0; m < 2; ++m) {
    terms[m] = models[m]->residual_count() > 0 ? models[m]->residual_terms(noise)
                                               : std::make_unique<slow::DenseGeometry>(*models[m], noise);
    terms[m]->compute(point.data());
  }
  const slow::Parameters p{.batch = 4, .workers = 4, .alpha = 0.3};
  const auto compare = [](const Vector& left, const Vector& right) {
    CHECK((left - right).norm() <= 1e-12 * (left.norm() + 1e-3));
  };
  for (const Term term : {Term::drift_1, Term::drift_2})
    compare(terms[0]->contraction(term, p), terms[1]->contraction(term, p));
  compare(terms[0]->ito_normal(4), terms[1]->ito_normal(4));
  compare(terms[0]->gradient_of_trace(), terms[1]->gradient_of_trace());
  compare(terms[0]->normal_eigenvalues(), terms[1]->normal_eigenvalues());
}

}  // namespace

namespace {

/// "[[1, 2], [3, 4]]": rows of `width` numbers each; "[1, 2]" of width 0, numbers alone.
std::string rows(const std::vector<double>& numbers, std::size_t width) {
  if (width == 0) return fmt::format("[{}]", fmt::join(numbers, ", "));
  std::vector<std::string> all;
  for (std::size_t i = 0; i < numbers.size(); i += width)
    all.push_back(rows({numbers.begin() + long(i), numbers.begin() + long(i + width)}, 0));
  return fmt::format("[{}]", fmt::join(all, ", "));
}

/// Terms that `term(k)` writes for k = 0 .. count - 1, as one sum.
template <class Term>
std::string sum_of(int count, Term term) {
  std::vector<std::string> all;
  for (int k = 0; k < count; ++k) all.push_back(term(k));
  return fmt::format("{}", fmt::join(all, " + "));
}

/// Networks as a user would type them, with the data that the built-in ones draw from their seed.
std::vector<std::tuple<std::string, std::string>> typed_networks() {
  std::vector<std::tuple<std::string, std::string>> all;
  const loss::Flat flat(2, 4, 7);
  all.emplace_back("name = 'flat'\ndata_seed = 7",
                   fmt::format("variables = {{t = 4}}\nresidual = 'dot(t, x) - y'\nstart = [0, 0, 0, 0]\n"
                               "data = {{x = {}, y = {}}}",
                               rows(flat.X, 4), rows(flat.y, 0)));
  const loss::DiagonalNetwork diagonal(4, 6, 2, 7);
  all.emplace_back("name = 'diagonal_network'\nn = 4\nfeatures = 6\ndata_seed = 7",
                   fmt::format("variables = {{u = 6, v = 6}}\nresidual = 'dot(u*u - v*v, x) - y'\nstart = {}\n"
                               "data = {{x = {}, y = {}}}\ntest_error = '{}'",
                               rows(std::vector<double>(12, 0.5), 0), rows(diagonal.X, 6), rows(diagonal.y, 0),
                               sum_of(6, [&](int j) {
                                 return fmt::format("(u[{0}]^2 - v[{0}]^2 - {1})^2", j + 1, j < 2 ? 1 : 0);
                               })));
  const loss::TanhNetwork network(4, 2, 4, 2, 7);
  all.emplace_back(
      "name = 'tanh_network'\nn = 4\nwidth = 4\ndata_seed = 7",
      fmt::format(
          "variables = {{a = 4, w = 8}}\nresidual = '{} - y'\nstart = {}\ndata = {{x = {}, y = {}}}\n"
          "test_residual = '{} - y'\ntest_data = {{x = {}, y = {}}}",
          sum_of(4,
                 [](int k) { return fmt::format("a[{}] tanh(w[{}] x[1] + w[{}] x[2])", k + 1, 2 * k + 1, 2 * k + 2); }),
          rows(network.interpolating_start(1.0, 7), 0), rows(network.X, 2), rows(network.y, 0),
          sum_of(4,
                 [](int k) { return fmt::format("a[{}] tanh(w[{}] x[1] + w[{}] x[2])", k + 1, 2 * k + 1, 2 * k + 2); }),
          rows(network.X_test, 2), rows(network.y_test, 0)));
  const loss::MatrixSensing sensing(3, 3, 2, 1, 7);
  const auto product = [](int k) {
    const int a = k / 3, b = k % 3;
    return fmt::format("A[{}] (U[{}] U[{}] + U[{}] U[{}])", k + 1, 2 * a + 1, 2 * b + 1, 2 * a + 2, 2 * b + 2);
  };
  all.emplace_back(
      "name = 'matrix_sensing'\nn = 3\nsize = 3\nrank = 2\ndata_seed = 7",
      fmt::format("variables = {{U = 6}}\nresidual = '{} - y'\nstart = {}\ndata = {{A = {}, y = {}}}",
                  sum_of(9, product), rows(loss::random_start(6, 1.0, 7), 0), rows(sensing.A, 9), rows(sensing.y, 0)));
  return all;
}

}  // namespace

TEST_CASE("built-in losses typed as formulas have the same terms to 1e-12") {
  std::vector<std::tuple<std::string, std::string>> all{
      {"name = 'ring'", "residual = 'sqrt(1 + 0.5 x) (x^2 + y^2 - 1)'\nstart = [0.6, 0.8]"},
      {"name = 'ring'", "formula = '1/2 (1 + 0.5 x) (x^2 + y^2 - 1)^2'\nstart = [0.6, 0.8]"},
      {"name = 'hyperbola'", "residual = 'x y - 1'\nstart = [2, 0.5]"},
      {"name = 'sphere'\nd = 3", "variables = {x = 3}\nresidual = '(sum(x^2) - 1)/sqrt(2)'\nstart = [0.6, 0.8, 0]"},
      {"name = 'valley'\nprofile = 'exponential'\nc = -0.7", "residual = 'exp(-0.35 x) y'\nstart = [0.3, 0]"},
      {"name = 'chain'\ndepth = 4",
       "variables = {w = 4}\nresidual = 'w[1] w[2] w[3] w[4] - 1'\nstart = [2, 1, 1, 0.5]"},
  };
  for (auto& network : typed_networks()) all.push_back(std::move(network));
  for (const auto& [built_in, text] : all) {
    CAPTURE(built_in);
    CAPTURE(text);
    experiment::NamedLoss a, b;
    try {
      a = typed(built_in);
      b = typed(text);
    } catch (const InputError& e) {
      FAIL(e.what());
    }
    CHECK(a.start == b.start);
    Vector point = b.start;
    same_terms(*a.model, *b.model, point);
    if (b.model->has_test_error())
      CHECK(b.model->test_error(point.data()) == doctest::Approx(a.model->test_error(point.data())).epsilon(1e-12));
  }
}

TEST_CASE("paths of built-in losses typed as formulas are the same to rounding") {
  // Along Gamma a path multiplies a rounding error by some factor of order 1; across it the error dies out.
  std::vector<std::tuple<std::string, std::string>> all{
      {"name = 'ring'", "residual = 'sqrt(1 + 0.5 x) (x^2 + y^2 - 1)'\nstart = [0.6, 0.8]"},
      {"name = 'hyperbola'", "residual = 'x y - 1'\nstart = [2, 0.5]"},
      {"name = 'valley'\nprofile = 'exponential'\nc = -0.7", "residual = 'exp(-0.35 x) y'\nstart = [0.3, 0]"},
  };
  for (auto& network : typed_networks()) all.push_back(std::move(network));
  for (const auto& [built_in, text] : all) {
    CAPTURE(text);
    std::vector<ensemble::MethodResult> results[2];
    const Vector start = typed(built_in).start;
    for (int which = 0; which < 2; ++which) {
      const auto source = fmt::format(
          "[noise]\nkind = 'label'\n[experiment]\npaths = 40\ntime = 0.1\nobservations = 2\nobserve = ['x1', 'x2']\n"
          "[training]\neta = 0.02\nworkers = 2\nbatch = 2\nH = 5\n[start]\nat = {}\n[[method]]\nkind = 'local_sgd'\n"
          "[[method]]\nkind = 'slow_local_sgd'\n[[method]]\nkind = 'slow_ode_local_sgd'\n[loss]\n{}\n",
          rows({start.begin(), start.end()}, 0), which == 0 ? built_in : text);
      const auto e = experiment::load(experiment::FileText{"typed.toml", source}, {});
      for (std::size_t m = 0; m < e.methods.size(); ++m)
        results[which].push_back(
            ensemble::run(e.problem, e.methods[m], experiment::observation_of(e, m), {.threads = 2}));
    }
    for (std::size_t m = 0; m < 3; ++m) {
      CAPTURE(m);
      const auto &a = results[0][m].samples.back(), &b = results[1][m].samples.back();
      REQUIRE(a.size() == b.size());
      for (std::size_t q = 0; q < a.size(); ++q) {
        REQUIRE(a[q].size() == (m == 2 ? 1 : 40));
        for (std::size_t i = 0; i < a[q].size(); ++i)
          CHECK(a[q][i] == doctest::Approx(b[q][i]).epsilon(1e-9).scale(1e-3));
      }
    }
  }
}

TEST_CASE("claim 1 for 30 formulas and the gallery: the terms are the second derivatives of Phi") {
  std::vector<std::string> texts{
      "residual = 'y - x^3'\nstart = [1, 1]",
      "residual = '(y - x^3) sqrt(1 + x^2)'\nstart = [1, 1]",
      "formula = '1/2 (y - x^3)^2 (1 + x^2)'\nstart = [0.5, 0.125]",
      "residual = '(sqrt(x^2 + y^2) - 2)^2 + z^2 - 1/2'\nstart = [2, 0.1, 0.7]",
      "residual = 'y - x^2'\nstart = [0.5, 0.25]",
      "residual = 'x^4 + y^4 - 1'\nstart = [0.9, 0.7]",
      "formula = 'logcosh(x y - 1)'\nstart = [2, 0.5]",
      "residuals = ['x y - 1', 'y z - 1']\nstart = [1, 1, 1]",
      "residuals = ['a c + b d - 1', 'a^2 + b^2 - 1']\nstart = [0.6, 0.8, 0.6, 0.8]",
      "residuals = ['a^2 + b^2 - 1', 'a c + b d - 1/2', 'c^2 + d^2 - 1']\nstart = [1, 0, 0.5, 0.9]",
      "residuals = ['(x + 2 y)^2 - 1', '(x - z)^2 - 1/2']\nstart = [0.6, 0.2, 0.1]",
      "residual = 'exp(x) y - 1'\nstart = [0, 1]",
      "residual = 'tanh(x) + sin(y) - 1/2'\nstart = [0.4, 0.2]",
      "residual = 'atan(x y) - 1/2'\nstart = [1, 0.5]",
      "residual = 'erf(x) + y^2 - 1'\nstart = [0.5, 0.7]",
      "residual = 'softplus(x) - y'\nstart = [0.3, 0.9]",
      "residual = 'x cosh(y) - 2'\nstart = [1.5, 0.8]",
      "formula = 'cosh(x y - 1) - 1'\nstart = [1.5, 0.6]",
      "formula = '(x y - 1)^2 (1 + (x y - 1)^2 + exp(x))'\nstart = [1.5, 0.6]",
      "variables = {w = 4}\nresidual = 'sum(w^2) + w[1] w[2] - 1'\nstart = [0.5, 0.5, 0.5, 0.1]",
      "variables = {u = 2, v = 2}\nresidual = 'dot(u, v) - 1'\nstart = [1, 0.5, 0.8, 0.4]",
      "variables = {u = 2, v = 2}\nresidual = 'dot(u*u - v*v, x) - y'\nstart = [1, 0.8, 0.3, 0.2]\n"
      "[data]\nx = [[1.0, 0.4]]\ny = [0.7]",
  };
  // Random polynomial residuals through a point: f(theta) - f(point).
  const auto c = loss::normal_data(3, 9, 200);
  for (std::size_t k = 0; k < 8; ++k) {
    const double* a = c.data() + 20 * k;
    const auto polynomial =
        fmt::format("({} x + {} y^2 + {} x y z + {} z^3 + {} x^2 y - {} y z)", a[0], a[1], a[2], a[3], a[4], a[5]);
    texts.push_back(k % 2 == 0 ? fmt::format("residual = '{} - 0.7'\nstart = [0.8, -0.5, 0.9]", polynomial)
                               : fmt::format("residuals = ['{} - 0.4', 'x + {} y z - 0.2']\nstart = [0.5, 0.6, 0.4]",
                                             polynomial, a[6]));
  }
  CHECK(texts.size() == 30);
  std::vector<experiment::NamedLoss> all;
  for (const auto& text : texts) all.push_back(typed(text));
  const auto gallery = std::filesystem::path(SDE_SOURCE_DIR) / "experiments/formulas";
  for (const auto& file : std::filesystem::directory_iterator(gallery)) {
    const auto table = toml::parse_file(file.path().string());
    experiment::Section section(*table["loss"].as_table(), "loss");
    all.push_back(experiment::make_loss(section));
  }
  CHECK(all.size() == 40);
  for (const auto& named : all) {
    CAPTURE(named.name);
    const auto& model = *named.model;
    const int d = model.dim();
    manifold::FlowMap flow(model);
    Vector p = named.start;
    flow(p.data());
    Noise noise;
    noise.rank = d;
    noise.factor = loss::normal_data(5, 50, d * d);
    Vector measured = Vector::Zero(d);
    for (int s = 0; s < d; ++s)
      measured +=
          0.5 *
          manifold::second_derivative(flow, p, Eigen::Map<const Vector>(&noise.factor[std::size_t(s * d)], d)).value;
    auto terms = model.residual_terms(noise);
    if (!terms) terms = std::make_unique<slow::DenseGeometry>(model, noise);
    terms->compute(p.data());
    const Vector predicted = terms->contraction(Term::drift_1, {.batch = 1}) + terms->ito_normal(1);
    CHECK((measured - predicted).norm() < 1e-5 * std::max(predicted.norm(), 1e-3));
  }
}
