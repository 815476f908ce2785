// RMSProp, Adam and their kin: against PyTorch, and against the slow SDE in a metric that moves (theory.md section 10).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "data/torch_paths.hpp"
#include "problems.hpp"
#include "sde/core/error.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"
#include "sde/slow/moving_metric.hpp"
#include "sde/verify/paired.hpp"
#include "value_losses.hpp"

using namespace sde;
using namespace sde::test;
using discrete::Algorithm;

namespace {

/// parameters: beta1, c, beta2 (-1: by c), epsilon, power, bias correction, v(0)
Algorithm algorithm(const discrete::AlgorithmType& type, std::vector<double> parameters, double eta) {
  Algorithm a{.type = &type};
  a.parameters = std::move(parameters);
  a.rate.eta = eta;
  a.rate.steps = 1000;
  return a;
}

/// x, y after `steps` steps from (1.8, 0.9) without noise.
std::pair<double, double> after(const Algorithm& a, std::int64_t steps) {
  const auto model = model_of(loss::Hyperbola{});
  const auto kernel = model->discrete_kernel({}, a);
  std::vector<double> x(static_cast<std::size_t>(kernel->shape().size() * kLanes), 0.0);
  for (int l = 0; l < kLanes; ++l) x[l] = 1.8, x[kLanes + l] = 0.9;
  double spread[kLanes];
  kernel->advance(x.data(), 0, 0, steps, spread);
  return {x[0], x[kLanes]};
}

/// A loss in phi = theta/root.
struct ScaledHyperbola {
  static constexpr int Dim = 2, Residuals = 1;
  double first, second;
  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = x[0] * first * (x[1] * second) - 1.0;
  }
};

Method method(const Algorithm& a, const ensemble::Dynamics& dynamics, long paths) {
  Method m;
  m.dynamics = &dynamics;
  m.algorithm = a;
  m.name = a.type->name();
  m.paths = paths;
  m.dt = 0.01;
  return m;
}

}  // namespace

TEST_CASE("tr diag(Hess)^q: |x|^2q + |y|^2q on the hyperbola, of algorithms and slow SDEs, in double and float") {
  const double powers[] = {0.5, 1, 0.25};
  const Problem problems[] = {problem_of(loss::Hyperbola{}, label(1), {2.0, 0.5}),
                              ensemble::make_problem(make_model(LogCosh{}), constant({0.5, 0, 0, 0.5}, 2), {2.0, 0.5})};
  Observation o = at({0, 0.1, 0.2}, {"x1", "x2"}, 2);
  for (const double q : powers)
    o.diagonal_powers.push_back(*ensemble::DiagonalPower::parse(fmt::format("tr diag(Hess)^{}", q)));
  const auto rmsprop = algorithm(discrete::rmsprop, {0, 2, -1, 0.05, 0.5, 0, 0.25, 4}, 0.01);
  Algorithm sgd{.type = &discrete::sgd};
  sgd.rate.eta = 0.01;
  const std::pair<const ensemble::Dynamics*, Algorithm> all[] = {{&ensemble::discrete_algorithm(), sgd},
                                                                 {&ensemble::discrete_algorithm(), rmsprop},
                                                                 {&ensemble::slow_sde(), sgd},
                                                                 {&ensemble::slow_ode(), rmsprop}};
  for (const auto& p : problems)
    for (const auto& [dynamics, a] : all)
      for (const auto precision : {Precision::full, Precision::single}) {
        if (dynamics == &ensemble::slow_ode() && p.noise.rank > 0) continue;  // noise along Gamma: no ODE
        auto m = method(a, *dynamics, 1);                                     // one path: means are its values
        m.precision = precision;
        const auto r = ensemble::run(p, m, o, kTwoThreads);
        CAPTURE(m.kind());
        for (std::size_t t = 0; t < 3; ++t) {
          const double x = r.at(t, "x1").mean, y = r.at(t, "x2").mean;
          CHECK(std::abs(x * y - 1) < 1e-6);
          for (std::size_t k = 0; k < 3; ++k) {
            const double q = powers[k], expected = std::pow(std::abs(x), 2 * q) + std::pow(std::abs(y), 2 * q);
            CHECK(r.at(t, o.diagonal_powers[k].text).mean == doctest::Approx(expected).epsilon(1e-6));
          }
          CHECK(r.at(t, "tr diag(Hess)^1").mean == doctest::Approx(r.at(t, "trace_hessian").mean).epsilon(1e-9));
        }
        CHECK(r.at(2, "x1").mean != r.at(0, "x1").mean);
      }
  for (const char* wrong :
       {"tr diag(Hess)", "tr diag(Hess)^", "tr diag(Hess)^0", "tr diag(Hess)^-1", "tr diag(Hess)^0.5x"})
    CHECK_THROWS_AS(ensemble::DiagonalPower::parse(wrong), std::invalid_argument);
  CHECK(!ensemble::DiagonalPower::parse("x1"));
}

TEST_CASE("a thousand steps are PyTorch's to 1e-12") {
  const std::tuple<Algorithm, const double(*)[2]> all[] = {
      {algorithm(discrete::heavy_ball, {0.9, 0, 1, 1, 0, 0}, 0.01), kTorch_heavy_ball},
      {algorithm(discrete::nesterov, {0.9, 1, 1, 1, 0, 0}, 0.01), kTorch_nesterov},
      {algorithm(discrete::rmsprop, {0, 0, 0.99, 1e-3, 0.5, 0, 0, 0}, 0.002), kTorch_rmsprop},
      {algorithm(discrete::adam, {0.9, 0, 0.99, 1e-3, 0.5, 1, 0, 0}, 0.003), kTorch_adam},
  };
  for (const auto& [a, expected] : all) {
    const std::string name = a.type->name();  // Clang 14 captures no structured binding
    CAPTURE(name);
    discrete::check(a);
    int row = 0;
    for (const std::int64_t steps : {1, 10, 100, 1000}) {
      const auto [x, y] = after(a, steps);
      CAPTURE(steps);
      CHECK(std::abs(x - expected[row][0]) < 1e-12);
      CHECK(std::abs(y - expected[row][1]) < 1e-12);
      ++row;
    }
  }
}

TEST_CASE("a fixed metric scales the gradient, a power of v is one") {
  Vector x = Eigen::Vector2d(1.8, 0.9), g(2);
  const auto model = model_of(loss::Hyperbola{});
  for (int k = 0; k < 30; ++k) {
    model->gradient(x.data(), g.data());
    x -= 0.01 * Eigen::Vector2d(0.5, 2).cwiseProduct(g);
  }
  const auto [a, b] = after(algorithm(discrete::metric_sgd, {0, 0, 1, 0, 0.5, 0, 4, 0.25}, 0.01), 30);
  CHECK(a == doctest::Approx(x[0]).epsilon(1e-13));
  CHECK(b == doctest::Approx(x[1]).epsilon(1e-13));
  // v^(1/4) of v = 16 and 1/16: the same S.
  const auto [c, d] = after(algorithm(discrete::rmsprop, {0, 0, 1, 0, 0.25, 0, 16, 0.0625}, 0.01), 30);
  CHECK(c == doctest::Approx(x[0]).epsilon(1e-12));
  CHECK(d == doctest::Approx(x[1]).epsilon(1e-12));
}

TEST_CASE("terms in a metric are those of the loss in phi") {
  const double r[] = {1.4, 0.6};
  const auto plain = model_of(loss::Hyperbola{});
  const auto scaled = make_model(ScaledHyperbola{r[0], r[1]});
  const Vector theta = Eigen::Vector2d(1.6, 1 / 1.6), phi = Eigen::Vector2d(1.6 / r[0], 1 / 1.6 / r[1]);
  const std::vector<double> factor{0.7, 0.2, -0.3, 0.9};
  const Noise noise = constant(factor, 2);
  const Noise in_phi = constant({factor[0] * r[0], factor[1] * r[1], factor[2] * r[0], factor[3] * r[1]}, 2);
  slow::DenseGeometry metric(*plain, noise), direct(*scaled, in_phi);
  const Vector root = Eigen::Vector2d(r[0], r[1]);
  metric.set_metric(root);
  metric.compute(theta.data());
  direct.compute(phi.data());
  const auto same = [&](const Vector& in_theta, const Vector& of_phi) {
    CHECK((in_theta - root.cwiseProduct(of_phi)).norm() < 1e-12);
    CHECK(of_phi.norm() > 1e-3);
  };
  const slow::Parameters p{.batch = 3, .workers = 4, .alpha = 0.4};
  for (const auto term : {slow::Term::drift_1, slow::Term::drift_2})
    same(metric.contraction(term, p), direct.contraction(term, p));
  same(metric.ito_normal(3), direct.ito_normal(3));
  CHECK(metric.normal_eigenvalues()[0] == doctest::Approx(direct.normal_eigenvalues()[0]).epsilon(1e-12));
  CHECK((metric.tangent_noise() - root.asDiagonal() * direct.tangent_noise()).norm() < 1e-12);
  Vector a = theta + Eigen::Vector2d(0.1, 0.05), b = a.cwiseQuotient(root);
  CHECK(!metric.retract(a.data()));
  CHECK(!direct.retract(b.data()));
  CHECK((a - root.cwiseProduct(b)).norm() < 1e-12);
}

TEST_CASE("the table of section 10: slow ODEs, and the algorithms beside them") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {3, 1.0 / 3});
  const std::vector<double> times{0, 0.5, 1, 1.5, 2};
  const Observation o = at(times, {"x1"}, 2);
  const auto quantity = [](const MethodResult& r) {
    for (std::size_t q = 0; q < r.observables.size(); ++q)
      if (r.observables[q] == "x1") return q;
    throw std::logic_error("x1");
  };
  const std::vector<double> settings{0, 2, -1, 0.05, 0.5, 0, 2.0 / 9, 4.5};
  auto with_momentum = settings;
  with_momentum[0] = 0.9;
  auto local = algorithm(discrete::local_rmsprop, settings, 0.005);
  local.workers = local.batch = 4;
  local.sync.H = 100;
  const std::tuple<Algorithm, std::vector<double>> all[] = {
      {algorithm(discrete::rmsprop, settings, 0.005), {3, 2.516, 2.170, 1.918, 1.728}},
      {algorithm(discrete::adam, with_momentum, 0.005), {3, 2.516, 2.170, 1.918, 1.728}},
      {local, {3, 2.607, 2.323, 2.102, 1.925}},
  };
  for (auto [a, expected] : all) {
    const std::string name = a.type->name();  // Clang 14 captures no structured binding
    CAPTURE(name);
    a.seed = 5;
    a.rate.steps = std::llround(2 / (a.rate.eta * a.rate.eta));
    const auto ode = ensemble::run(p, method(a, ensemble::slow_ode(), 1), o, kTwoThreads);
    const auto sde = ensemble::run(p, method(a, ensemble::slow_sde(), 2), o, kTwoThreads);
    const auto measured = ensemble::run(p, method(a, ensemble::discrete_algorithm(), 192), o, kTwoThreads);
    CHECK(measured.lost == 0);
    const auto q = quantity(ode);
    for (std::size_t t = 0; t < times.size(); ++t) {
      CAPTURE(times[t]);
      const double predicted = ode.values[t][q].mean;
      // Three digits are given, in the limit eta -> 0; with momentum the weights are those of this eta.
      CHECK(std::abs(predicted - expected[t]) < (a.parameters[0] > 0 ? 1e-3 : 6e-4));
      // Label noise does not diffuse: Euler's steps of the SDE differ by their first order in dt alone.
      CHECK(std::abs(sde.values[t][q].mean - predicted) < 0.01);
      const auto& m = measured.values[t][q];
      // Of the order of eta: 0.01 at most in the table of section 10.
      CHECK(std::abs(m.mean - predicted) < 5 * m.standard_error() + 0.012);
      CHECK(m.standard_error() < 0.01);
    }
  }
}

TEST_CASE("pairs on common noise: v moves with zeta, and the metric of the start is refuted") {
  const Problem p = problem_of(loss::Ring{0.5}, constant({0.5, 1.0, -0.1, 0.6}, 2), {0, 1});
  verify::Pairing pairing;
  auto& a = pairing.algorithm = algorithm(discrete::local_rmsprop, {0, 4, -1, 0.1, 0.5, 0, 0.6, 3}, 0.005);
  a.seed = 3;
  a.workers = a.batch = 4;
  a.sync.H = 10;
  pairing.predictions = {verify::theory(a)};
  auto frozen = pairing.predictions[0];
  frozen.metric->c = 0;
  auto of_sgd = pairing.predictions[0];
  of_sgd.parameters.workers = 1;
  pairing.predictions.push_back(frozen);
  pairing.predictions.push_back(of_sgd);
  pairing.times = {0.1};
  pairing.dt = 0.0025;
  pairing.paths = 1024;
  pairing.functions = {verify::coordinate(0), verify::sharpness()};
  const auto r = verify::run_paired(p, pairing, kTwoThreads);
  CHECK(r.lost == 0);
  for (std::size_t q = 0; q < 2; ++q) {
    CAPTURE(pairing.functions[q].name);
    const double drift = std::abs(r.drift[0][0][q].mean);
    const auto& gap = r.gap[0][0][q];
    MESSAGE((gap.mean / drift) << " +- " << (gap.standard_error() / drift));
    CHECK(std::abs(gap.mean) < 5 * gap.standard_error() + 0.03 * drift);  // eta lambda/2 is 0.02
    CHECK(gap.standard_error() < 0.02 * drift);
    CHECK(std::abs(r.gap[1][0][q].mean) > 5 * r.gap[1][0][q].standard_error() + 0.03 * drift);  // v moves by a third
    CHECK(std::abs(r.gap[2][0][q].mean) > 5 * r.gap[2][0][q].standard_error());
    // Nearly all noise is common.
    CHECK(r.gap[0][0][q].variance() < 0.1 * r.algorithm[0][q].variance());
  }
  pairing.predictions[1].metric.reset();
  CHECK_THROWS_WITH(verify::run_paired(p, pairing, kTwoThreads),
                    "common noise: prediction 'slow SDE' of local_rmsprop: expected a metric");
}

TEST_CASE("the momentum of Local Adam has the weights of local momentum: another drift at H = 25") {
  auto a = algorithm(discrete::local_adam, {0.9, 0, -1, 0, 0.5, 0, 1, 1}, 0.01);  // S = 1
  a.workers = a.batch = 4;
  a.sync.H = 25;
  auto b = algorithm(discrete::local_momentum, {0.9, 0, 0, 1, 0, 0}, 0.001);  // averaged, at the same effective rate
  b.workers = b.batch = 4;
  b.sync.H = 25;
  const auto p = problem_of(loss::Hyperbola{}, label(1), {2, 0.5});
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const auto drift = [&](const Algorithm& x) {
    return terms->contraction(slow::Term::drift, x.type->slow_sde(x, 0)).eval();
  };
  CHECK((drift(a) - drift(b)).norm() < 1e-12 * drift(b).norm());
  auto without = algorithm(discrete::local_rmsprop, {0, 0, -1, 0, 0.5, 0, 1, 1}, 0.01);
  without.workers = without.batch = 4;
  without.sync.H = 25;
  CHECK(drift(a).norm() / drift(without).norm() < 0.8);  // rounds of 25 steps are short beside a memory of 10
}

TEST_CASE("settings are refused by name") {
  const auto words = [](const Algorithm& a, const char* expected) {
    try {
      discrete::check(a);
      a.type->metric(a);
      FAIL("was accepted: ", expected);
    } catch (const InputError& e) {
      CAPTURE(e.what());
      CHECK(std::string(e.what()).find(expected) != std::string::npos);
    }
  };
  words(algorithm(discrete::adam, {1, 1, -1, 1e-8, 0.5, 0, 1, 1}, 0.01), "algorithm.beta1");
  words(algorithm(discrete::adam, {0.9, 0, 1.5, 1e-8, 0.5, 0, 1, 1}, 0.01), "algorithm.beta2");
  words(algorithm(discrete::rmsprop, {0, 1, -1, 0, 0.5, 0, 1, 0}, 0.01), "v0: coordinate 2: v(0) = 0 with eps = 0");
  words(algorithm(discrete::rmsprop, {0, 2e4, -1, 0, 0.5, 0, 1, 1}, 0.01), "1 - beta2 below 1");
  words(algorithm(discrete::rmsprop, {0, 1, -1, 0, 0.5, 0}, 0.01), "v(0) for each coordinate");
  words(algorithm(discrete::adam, {0.9, 0, 0.99, 1e-3, 0.5, 1, 1, 1}, 0.01), "bias_correction");
  Algorithm two = algorithm(discrete::adam, {0.9, 1, -1, 1e-8, 0.5, 0, 1, 1}, 0.01);
  two.workers = two.batch = 2;
  words(two, "expected 1");
}
