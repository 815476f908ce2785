// Algorithms with momenta, outer steps, graphs, delays and a user's updates: their step loops against their matrices,
// against PyTorch, and their slow SDEs against what they do.
#include <doctest/doctest.h>

#include <Eigen/Cholesky>

#include "problems.hpp"
#include "sde/core/error.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/discrete/linear_updates.hpp"
#include "sde/model/make_model.hpp"
#include "sde/slow/linear_algorithms.hpp"
#include "sde/slow/tabulated_weights.hpp"
#include "sde/verify/paired.hpp"

using namespace sde;
using namespace sde::test;
using discrete::Algorithm;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

/// 1/4 (lambda_1 x^2 + lambda_2 y^2), by two residuals.
struct Quadratic {
  static constexpr int Dim = 2, Residuals = 2;
  double first = 3, second = 0.5;
  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 2; }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = x[0] * std::sqrt(2 * first);
    f[1] = x[1] * std::sqrt(2 * second);
  }
};

/// Settings in the order of MomentumSettings: beta, nesterov, at, gamma, mu, outer_nesterov.
struct Named {
  const char* what;
  Algorithm a;
};
std::vector<Named> all_algorithms() {
  std::vector<Named> all{
      {"heavy ball", {.type = &discrete::heavy_ball, .parameters = {0.8, 0, 1, 1, 0, 0}}},
      {"Nesterov", {.type = &discrete::nesterov, .parameters = {0.7, 1, 1, 1, 0, 0}}},
      {"local momentum, averaged",
       {.type = &discrete::local_momentum, .workers = 3, .batch = 3, .parameters = {0.8, 0, 0, 1, 0, 0}}},
      {"local momentum, kept",
       {.type = &discrete::local_momentum, .workers = 3, .batch = 3, .parameters = {0.8, 1, 1, 1, 0, 0}}},
      {"local momentum, reset",
       {.type = &discrete::local_momentum, .workers = 3, .batch = 6, .parameters = {0.6, 0, 2, 1, 0, 0}}},
      {"DiLoCo", {.type = &discrete::diloco, .workers = 4, .batch = 4, .parameters = {0, 0, 1, 0.7, 0.6, 1}}},
      {"DiLoCo, inner momentum",
       {.type = &discrete::diloco, .workers = 2, .batch = 2, .parameters = {0.5, 0, 1, 0.6, 0.5, 0}}},
      {"Lookahead", {.type = &discrete::lookahead, .parameters = {0, 0, 1, 0.5, 0, 0}}},
      {"SlowMo", {.type = &discrete::slow_mo, .workers = 3, .batch = 3, .parameters = {0.4, 0, 2, 1, 0.5, 0}}},
      {"gossip on a ring", {.type = &discrete::gossip, .workers = 6, .batch = 6, .parameters = {0, 1}}},
      {"gossip on a torus, twice", {.type = &discrete::gossip, .workers = 9, .batch = 9, .parameters = {1, 2}}},
      {"gossip, given",
       {.type = &discrete::gossip, .workers = 2, .batch = 2, .parameters = {3, 1, 0.7, 0.3, 0.3, 0.7}}},
      {"delay 6", {.type = &discrete::delayed_sgd, .parameters = {6}}},
  };
  for (auto& [what, a] : all) {
    a.rate.eta = 0.02;
    a.rate.steps = 60;
    a.sync.H = 10;
    a.seed = 7;
  }
  return all;
}

/// The algorithm by its matrices, at eta = 1 and b = 1, and what is observed of the slots.
std::pair<slow::LinearAlgorithm, VectorXd> matrices_of(const Algorithm& a) {
  if (const auto* linear = dynamic_cast<const discrete::LinearType*>(a.type)) {
    const auto o = linear->observed(a);
    return {linear->matrices(a), Eigen::Map<const VectorXd>(o.data(), Eigen::Index(o.size()))};
  }
  const bool rounds = a.round(0).synchronizes;
  auto m = expanded(discrete::MomentumType::rule(a).matrices(rounds ? a.sync.H : 1));
  VectorXd observed = VectorXd::Zero(m.consensus.size());
  for (int w = 0; w < a.workers; ++w) observed[2 * w] = 1.0 / a.workers;
  return {m, observed};
}

std::vector<double> in_lanes(const double* x, int d, int size) {
  std::vector<double> state(static_cast<std::size_t>(size * kLanes), 0.0);
  for (int k = 0; k < d; ++k) std::fill_n(state.begin() + k * kLanes, kLanes, x[k]);
  return state;
}

}  // namespace

TEST_CASE("without noise every loop is the powers of its matrices") {
  const auto model = make_model(Quadratic{});
  const double start[] = {1.3, -0.7}, lambda[] = {3, 0.5};
  for (const auto& [what, a] : all_algorithms()) {
    CAPTURE(what);
    discrete::check(a);
    const auto kernel = model->discrete_kernel({}, a);
    auto x = in_lanes(start, 2, kernel->shape().size());
    double spread[kLanes];
    kernel->advance(x.data(), 0, 0, a.rate.steps, spread);
    const auto [m, observed] = matrices_of(a);
    const long periods = std::lround(double(a.rate.steps) / m.local_steps);
    for (int k = 0; k < 2; ++k) {
      VectorXd z = m.consensus * start[k];
      for (long p = 0; p < periods; ++p)
        for (const auto& step : m.period) z = (step.A - a.rate.eta * lambda[k] * step.C * step.R) * z;
      CHECK(std::abs(x[static_cast<std::size_t>(k * kLanes)] - observed.dot(z)) < 1e-12);
      CHECK(std::abs(observed.dot(z) - start[k]) > 1e-3);
    }
    // In pieces, as observations cut it.
    auto y = in_lanes(start, 2, kernel->shape().size());
    for (const std::int64_t to : {20, 30, 60})
      kernel->advance(y.data(), 0, to == 20 ? 0 : to == 30 ? 20 : 30, to, spread);
    CHECK(x == y);
  }
}

TEST_CASE("tables hold the weights to 1e-10") {
  for (const auto& [what, a] : all_algorithms()) {
    CAPTURE(what);
    const double b = double(a.batch) / a.workers;
    auto [m, observed] = matrices_of(a);
    m.eta = a.rate.eta;
    m.batch = b;
    const slow::FluctuationWeights exact(m);
    const auto p = a.type->slow_sde(a, 0);
    const double c2 = a.type->slow_time_factor(a);
    CHECK(c2 == doctest::Approx(exact.effective_rate() * exact.effective_rate()).epsilon(1e-10));
    CHECK(p.batch == doctest::Approx(c2 / exact.diffusion()).epsilon(1e-10));
    for (const auto& [i, j] : {std::pair(4.0, 4.0), {4.0, 0.0}, {0.0, 1.3}, {0.03, 2.2}, {1e-3, 1e-3}, {5.0, 0.7}}) {
      CAPTURE(i);
      CAPTURE(j);
      CHECK(slow::weight<double>(slow::Term::drift, p, i, j) == doctest::Approx(exact.weight(i, j) / c2).epsilon(1e-9));
    }
    // Beyond a table there is no weight: a path that gets there is lost.
    const double end = p.weights.most / a.rate.eta;
    CHECK(std::isfinite(slow::weight<double>(slow::Term::drift, p, 0.99 * end, 1)));
    CHECK(std::isnan(slow::weight<double>(slow::Term::drift, p, 1.01 * end, 1)));
  }
  const auto W = slow::ring_of(5);
  CHECK((slow::gossip(1, 1, W, 3).period[0].A - W * W * W).cwiseAbs().maxCoeff() < 1e-15);
}

TEST_CASE("the slow variable of a state is where it comes to rest without gradients") {
  auto all = all_algorithms();
  const double v0 = 0.09;
  all.push_back(
      {"Local Adam in a fixed metric",
       {.type = &discrete::local_adam, .workers = 3, .batch = 3, .parameters = {0.9, 0, -1, 0.1, 0.5, 0, v0, v0}}});
  all.back().a.rate.eta = 0.02;
  all.back().a.sync.H = 10;
  const auto flat = make_model(Quadratic{0, 0});
  int lagging = 0;
  for (const auto& [what, a] : all) {
    CAPTURE(what);
    const auto kernel = flat->discrete_kernel({}, a);
    const int slots = kernel->shape().slots;
    const bool in_metric = a.type->in_metric();
    std::vector<double> slot(static_cast<std::size_t>(slots));  // after the position: what is kept
    for (int s = 0; s < slots; ++s) slot[static_cast<std::size_t>(s)] = std::sin(3.0 * s + 1);
    if (in_metric)
      for (int s = 1; s < slots; s += 2) slot[static_cast<std::size_t>(s)] = 0;  // v stays
    if (const auto* linear = dynamic_cast<const discrete::LinearType*>(a.type)) {
      // Deviations from the observed combination.
      const auto [m, observed] = matrices_of(a);
      double of_observed = 0;
      for (int s = 1; s < slots; ++s) of_observed += observed[s - 1] * slot[static_cast<std::size_t>(s)];
      for (int s = 1; s < slots; ++s) slot[static_cast<std::size_t>(s)] -= m.consensus[s - 1] * of_observed;
      CHECK(linear->observed(a).size() + 1 == slot.size());
    }
    std::vector<double> x;
    for (const double s : slot) x.insert(x.end(), 2 * kLanes, s);
    const auto weights = a.type->slow_variable(a, 0);
    double slow = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) slow += weights[i] * slot[i + 1];
    slow = slot[0] + slow * (in_metric ? 1 / (std::sqrt(v0) + 0.1) : 1);
    double spread[kLanes];
    kernel->advance(x.data(), 0, 0, 4000, spread);
    CHECK(x[0] == doctest::Approx(slow).epsilon(1e-9));
    // Not by luck: the position alone is another point, and so is l . z with a weight of the other sign.
    if (weights.empty()) continue;
    ++lagging;
    CHECK(std::abs(x[0] - slot[0]) > 1e-4);
  }
  CHECK(lagging == 9);  // all with momenta; not the three on graphs, the delay, Lookahead
}

TEST_CASE("the slow variable has the whole variance along Gamma from the first round on, and the position has not") {
  // Along a valley without noise across it nothing but the common draws moves either side.
  const Problem valley = problem_of(loss::Valley{}, constant({0.7, 0}, 1), {0.5, 0});
  for (auto [what, a] : all_algorithms()) {
    CAPTURE(what);
    // A momentum that is reset moves x by late gradients less than by early ones: that is no sum of draws.
    if (a.parameters.size() == 6 && a.parameters[2] == 2) continue;
    a.rate.steps = 1000;
    verify::Pairing p;
    p.algorithm = a;
    p.predictions = {verify::theory(a)};
    const double ten_steps = 10 * a.slow_time(a.rate.eta);
    p.times = {2 * ten_steps, 8 * ten_steps};
    p.dt = ten_steps;
    p.paths = 64;
    p.functions = {verify::coordinate(0), verify::square(0)};
    const auto r = verify::run_paired(valley, p, kTwoThreads);
    for (std::size_t t = 0; t < 2; ++t) {
      CHECK(std::abs(r.algorithm[t][0].mean - r.prediction[0][t][0].mean) < 1e-9);
      CHECK(r.algorithm[t][0].variance() == doctest::Approx(r.prediction[0][t][0].variance()).epsilon(1e-9));
      CHECK(r.distance[t].mean < 1e-9);
    }
    if (a.type != &discrete::diloco) continue;
    // The workers' average of the same paths, which is what a wrong l = (1, 0) would say.
    Method m;
    m.algorithm = a;
    m.paths = p.paths;
    const auto alone = ensemble::run(valley, m, at({0, 2 * ten_steps, 8 * ten_steps}, {"x1"}, 2), kTwoThreads);
    CHECK(alone.at(1, "x1").variance() < 0.8 * r.prediction[0][0][0].variance());
    CHECK(alone.at(2, "x1").variance() < 0.95 * r.prediction[0][1][0].variance());
  }
}

TEST_CASE("a user's updates are the algorithms that they spell out") {
  const auto same = [](const char* what, const discrete::LinearUpdates& u, const Algorithm& a) {
    CAPTURE(what);
    const slow::FluctuationWeights own(matrices_of(u)), built_in(matrices_of(a).first);
    for (const auto& [i, j] : {std::pair(0.5, 0.5), {0.3, 0.0}, {0.02, 0.4}})
      CHECK(own.weight(i, j) == doctest::Approx(built_in.weight(i, j)).epsilon(1e-11));
    CHECK(own.diffusion() == doctest::Approx(built_in.diffusion()).epsilon(1e-11));
  };
  const auto all = all_algorithms();
  const auto named = [&](const char* what) {
    for (const auto& n : all)
      if (std::string(n.what) == what) return n.a;
    throw std::logic_error(what);
  };
  same("heavy ball", {.updates = "w <- 0.8 w - eta g; x <- x + w", .momenta = {"w"}}, named("heavy ball"));
  same("Nesterov", {.updates = "w <- 0.7 w - eta g; x <- x + 0.7 w - eta g", .momenta = {"w"}}, named("Nesterov"));
  same("local momentum",
       {.updates = "w <- 0.8 w - eta g; x <- x + w",
        .synchronize = "x <- mean(x); w <- mean(w)",
        .momenta = {"w"},
        .workers = 3,
        .steps = 10},
       named("local momentum, averaged"));
  same("local momentum, reset",
       {.updates = "w <- 0.6 w - eta g; x <- x + w",
        .synchronize = "x <- mean(x); w <- 0 w",
        .momenta = {"w"},
        .workers = 3,
        .steps = 10},
       named("local momentum, reset"));
  same("DiLoCo",
       {.updates = "x <- x - eta g",
        .synchronize = "p <- 0.6 p + mean(x) - a; a <- a + 0.7 (mean(x) - a + 0.6 p); x <- a",
        .momenta = {"p"},
        .shared = {"a", "p"},
        .workers = 4,
        .steps = 10},
       named("DiLoCo"));
  same("delay", {.updates = "x2 <- x1; x1 <- x0; x0 <- x0 - eta g", .gradient_at = "x2"},
       {.type = &discrete::delayed_sgd, .rate = {.steps = 100}, .parameters = {2}});
}

TEST_CASE("updates that are no algorithm are refused by name") {
  const auto words = [](const discrete::LinearUpdates& u, const char* expected) {
    try {
      const slow::FluctuationWeights w(matrices_of(u));
      FAIL("was accepted: ", expected);
    } catch (const InputError& e) {
      CAPTURE(e.what());
      CHECK(std::string(e.what()).find(expected) != std::string::npos);
    }
  };
  words({.updates = ""}, "updates: missing");
  words({.updates = "x = x - eta g"}, "expected an assignment SLOT <- EXPRESSION");
  words({.updates = "x <- x - eta g^2"}, "not linear in g");
  words({.updates = "x <- x - g"}, "eta belongs to the gradient alone");
  words({.updates = "x <- eta x - eta g"}, "eta belongs to the gradient alone");
  words({.updates = "x <- x - eta g + 1"}, "without a constant");
  words({.updates = "x <- x + v - eta g"}, "v");
  words({.updates = "x <- 0.9 x - eta g"}, "the consensus");
  words({.updates = "x <- x"}, "the gradient g does not occur");
  words({.updates = "w <- w - eta g; x <- x + w", .momenta = {"w"}}, "neither decay");
  words({.updates = "x <- x - eta g", .momenta = {"y"}}, "momentum_slots: 'y' is no slot");
  words({.updates = "a <- x; x <- x - eta g", .shared = {"a"}}, "'a' is a shared slot");
  words({.updates = "x <- x - eta g", .synchronize = "a <- x", .shared = {"a"}, .workers = 2}, "mean(x)");
  words({.updates = "eta <- x"}, "'eta' is no slot");
}

TEST_CASE("settings are refused by name") {
  const auto words = [](const Algorithm& a, const char* expected) {
    try {
      discrete::check(a);
      FAIL("was accepted: ", expected);
    } catch (const InputError& e) {
      CAPTURE(e.what());
      CHECK(std::string(e.what()).find(expected) != std::string::npos);
    }
  };
  words({.type = &discrete::heavy_ball, .parameters = {1, 0, 1, 1, 0, 0}}, "algorithm.momentum");
  words({.type = &discrete::heavy_ball, .workers = 2, .batch = 2, .parameters = {0.5, 0, 1, 1, 0, 0}}, "expected 1");
  words({.type = &discrete::diloco, .parameters = {0, 0, 1, 0.5, 1, 0}}, "algorithm.mu");
  words({.type = &discrete::gossip, .workers = 4, .batch = 4, .parameters = {1, 1}}, "a torus of 4 workers");
  words({.type = &discrete::gossip, .workers = 2, .batch = 2, .parameters = {3, 1, 1, 0, 0, 1}},
        "worker 1 never hears of 2");
  words({.type = &discrete::delayed_sgd, .rate = {.steps = 5}, .parameters = {9}},
        "expected less than the run's 5 steps");
  words({.type = &discrete::delayed_sgd, .rate = {.steps = 50}}, "algorithm.delay");
  words({.type = &discrete::delayed_sgd, .rate = {.steps = 5000}, .parameters = {1001}}, "from 0 to 1000");
}

TEST_CASE("the slow SDE has the drift that is measured, and SGD's has not: the ring, correlated noise") {
  // Sigma = (1, 0.25; 0.25, 0.12) of theory.md section 9, from the angle 1.1.
  MatrixXd sigma{{1, 0.25}, {0.25, 0.12}};
  const MatrixXd A = sigma.llt().matrixL();
  const Problem ring =
      problem_of(loss::Ring{0.5}, constant({A(0, 0), A(1, 0), A(0, 1), A(1, 1)}, 2), {std::cos(1.1), std::sin(1.1)});
  int rejected = 0;
  for (auto [what, a] : all_algorithms()) {
    CAPTURE(what);
    a.rate.eta = a.type == &discrete::gossip || a.type == &discrete::delayed_sgd ? 0.02 : 0.005;
    verify::Pairing p;
    const double T = 0.2 * a.type->slow_sde(a, 0).batch;  // as much diffusion for all
    a.rate.steps = std::llround(T / a.slow_time(a.rate.eta));
    a.rate.steps -= a.rate.steps % 10;
    p.algorithm = a;
    p.predictions = {verify::theory(a)};
    auto sgd = p.predictions[0];
    sgd.name = "SGD at the same diffusion";
    sgd.parameters.weights = {};
    sgd.parameters.workers = 1;
    p.predictions.push_back(sgd);
    p.times = {T};
    p.dt = T / 40;
    p.paths = 1024;
    p.functions = {verify::coordinate(0)};
    const auto r = verify::run_paired(ring, p, kTwoThreads);
    const auto &gap = r.gap[0].back()[0], &control = r.gap[1].back()[0], &drift = r.drift[0].back()[0];
    CAPTURE(gap.mean);
    CAPTURE(gap.standard_error());
    CAPTURE(drift.mean);
    CAPTURE(control.mean);
    // What is of higher order is a few hundredths of the drift at these rates.
    CHECK(std::abs(gap.mean) < 5 * gap.standard_error() + 0.04 * std::abs(drift.mean));
    CHECK(gap.standard_error() < 0.02 * std::abs(drift.mean));
    const bool differs = std::abs(r.drift[1].back()[0].mean - drift.mean) > 0.1 * std::abs(drift.mean);
    rejected += differs;
    if (differs) CHECK(std::abs(control.mean) > 5 * control.standard_error() + 0.04 * std::abs(drift.mean));
  }
  CHECK(rejected >= 5);  // all with workers whose rounds are long, or whose graph is sparse
}
