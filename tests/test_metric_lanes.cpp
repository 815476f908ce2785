// The slow SDE of adaptive methods in lanes (slow/in_metric.hpp) against the same path by path through the dense
// Hessian (model/moving_geometry.hpp).
#include <doctest/doctest.h>

#include <string_view>

#include "keeping_residuals.hpp"
#include "problems.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/make_model.hpp"
#include "sde/model/moving_geometry.hpp"
#include "value_losses.hpp"

using namespace sde;
using namespace sde::test;

namespace {

/// The default: an adaptive method with both terms and v moving.
const slow::MovingMetric kMetric{.c = 3, .epsilon = 0.1, .power = 0.5, .batch = 2, .start = {}};
const slow::Parameters kLocal{
    .batch = 8, .workers = 4, .alpha = 0.4, .eta = 0, .H = 1, .factors = {}, .weights = {}, .rate = 0};

slow::MovingMetric of_dimension(slow::MovingMetric metric, int d) {
  metric.start.resize(d);
  for (int k = 0; k < d; ++k) metric.start[k] = 0.6 + 0.4 * std::cos(1.3 * k);
  return metric;
}

/// kLanes points of Gamma near `start`, each with a v - v(0) of its own.
std::vector<double> states(const LossModel& model, const std::vector<double>& start) {
  const int d = model.dim();
  std::vector<double> x(static_cast<std::size_t>(2 * d * kLanes)), point(start);
  manifold::FlowMap flow{model};
  for (int l = 0; l < kLanes; ++l) {
    for (int k = 0; k < d; ++k) point[k] = start[k] + 0.05 * std::cos(2.0 * l + 3.0 * k);
    flow(point.data());
    for (int k = 0; k < d; ++k) {
      x[k * kLanes + l] = point[k];
      x[(d + k) * kLanes + l] = 0.1 * std::sin(l + 2.0 * k);
    }
  }
  return x;
}

double farthest(const double* a, const double* b, int rows) {
  double most = 0;
  for (int i = 0; i < rows * kLanes; ++i) most = std::max(most, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
  return most;
}

/// Steps of both with the same increments: positions, v and martingales of one, then of all.
void check_steps(const LossModel& model, const Noise& noise, slow::MovingMetric metric, const slow::Parameters& p,
                 const std::vector<double>& from, Precision precision = Precision::full, double near = 1e-9,
                 bool flat = false) {
  const int d = model.dim(), count = 40;
  // Longer steps are lost on the narrow manifold of the tanh network (an eigenvalue of 7e-4), by the dense path first.
  const double dt = model.residual_count() > 1 ? 1e-4 : 2e-3;
  metric = of_dimension(metric, d);
  const auto lanes = model.metric_slow_kernel(noise, metric, precision);
  REQUIRE(lanes);
  const auto dense = slow::dense_metric_kernel(model, noise, metric);
  const Innovations all = dense->innovations();
  REQUIRE(lanes->innovations() == innovations_on_gamma(noise));
  auto x = from, y = from;
  std::vector<double> a(static_cast<std::size_t>(d * kLanes)), b(a);
  for (int s = 0; s < count; ++s) {
    // Labels' and samples' columns are normal to Gamma: increments of theirs move nothing.
    const auto xi = loss::normal_data(11, static_cast<std::uint32_t>(100 + s), all.count() * kLanes);
    CHECK(lanes->step(x.data(), p, dt, xi.data() + all.constant.first * kLanes, a.data()) == 0);
    CHECK(dense->step(y.data(), p, dt, xi.data(), b.data()) == 0);
    if (s > 0) continue;
    CHECK(farthest(x.data(), y.data(), 2 * d) < near);
    CHECK(farthest(a.data(), b.data(), d) < near);
  }
  CHECK(farthest(x.data(), y.data(), 2 * d) < 30 * near);
  const bool at_rest =
      flat && noise.columns() == 0;  // labels move nothing where the sharpness is the same all over Gamma
  CHECK((farthest(x.data(), from.data(), d) > 1e-6) == !at_rest);
  if (metric.c > 0) CHECK(farthest(x.data() + d * kLanes, from.data() + d * kLanes, d) > 1e-3);
}

/// In units of a dimension that tests look at: labels, additive noise and state noise.
Noise every_source(int d, Sampling sampling) {
  Noise noise;
  noise.sigma2 = 0.7;
  noise.sampling = sampling;
  noise.rank = 2;
  noise.factor = loss::normal_data(3, 4, 2 * d);
  noise.state_rank = 1;
  noise.state = loss::normal_data(3, 5, (d + 1) * d);
  for (double& v : noise.factor) v *= 0.3;
  for (double& v : noise.state) v *= 0.1;
  return noise;
}
Noise diagonal(int d) {
  Noise noise;
  noise.rank = d;
  noise.factor.assign(static_cast<std::size_t>(d * d), 0.0);
  for (int k = 0; k < d; ++k) noise.factor[static_cast<std::size_t>(k * (d + 1))] = 0.3 + 0.05 * k;
  return noise;
}

/// The weights of local momentum, as Local Adam has them.
slow::Parameters of_local_adam(int d) {
  discrete::Algorithm a{.type = &discrete::local_adam};
  a.parameters = {0.9, 1, -1, 0.1, 0.5, 0};
  a.parameters.insert(a.parameters.end(), static_cast<std::size_t>(d), 0.5);
  a.rate.eta = 0.01;
  a.rate.steps = 100;
  a.workers = a.batch = 4;
  a.sync.H = 10;
  return a.type->slow_sde(a, 0);
}

}  // namespace

TEST_CASE("in lanes: every built-in loss and noise is the dense path's step, and its steps") {
  for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    const auto from = states(*model, start);
    for (const auto sampling : {Sampling::full, Sampling::with_replacement})
      check_steps(*model, every_source(d, sampling), kMetric, kLocal, from);
    check_steps(*model, label(1), kMetric, kLocal, from, Precision::full, 1e-9, std::string_view(name) == "flat");
    check_steps(*model, constant(loss::normal_data(3, 9, 2 * d), 2), kMetric, kLocal, from);
    check_steps(*model, diagonal(d), kMetric, kLocal, from);
  });
}

TEST_CASE("in lanes: losses without residuals, too") {
  for_each_value_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = make_model(l);
    const int d = model->dim();
    Noise noise = every_source(d, Sampling::full);
    noise.sigma2 = 0;
    const auto from = states(*model, start);
    check_steps(*model, noise, kMetric, kLocal, from);
    check_steps(*model, diagonal(d), kMetric, kLocal, from);
  });
}

TEST_CASE("in lanes: powers, epsilon, rates of v, and the weights of every algorithm") {
  const auto check = [](const auto& l, const std::vector<double>& start) {
    const auto model = model_of(l);
    const auto from = states(*model, start);
    const auto noise = every_source(model->dim(), Sampling::with_replacement);
    for (const auto& [c, epsilon, power] :
         {std::tuple{0.0, 0.1, 0.5}, std::tuple{2.0, 0.0, 0.5}, std::tuple{5.0, 1e-8, 0.25}, std::tuple{1.0, 0.2, 1.0}})
      check_steps(*model, noise, {c, epsilon, power, 1, {}}, kLocal, from);
    slow::Parameters sgd;
    sgd.batch = 2;
    slow::Parameters refined = kLocal, long_rounds = kLocal;
    refined.eta = 0.01;
    refined.H = 40;
    long_rounds.alpha = std::numeric_limits<double>::infinity();
    slow::Parameters proposed = kLocal;
    proposed.factors = {1.2, 0.7, 0.5, 1.5};
    for (const auto& p : {sgd, refined, long_rounds, proposed, of_local_adam(model->dim())})
      check_steps(*model, noise, kMetric, p, from);
  };
  check(loss::Ring{0.5}, {0.5, 0.9});
  check(loss::Hyperbola{}, {1.5, 0.7});
  check(loss::Valley{}, {0.6, 0.1});
  check(loss::DiagonalNetwork(3, 4, 1, 5), {1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7});
}

TEST_CASE("in lanes: draws of its own are the dense path's, normals and signs") {
  const auto check = [](const auto& l, const std::vector<double>& start) {
    const auto model = model_of(l);
    const int d = model->dim();
    const auto from = states(*model, start);
    const Noise noise = constant(loss::normal_data(3, 9, 2 * d), 2);  // where both have the same columns
    const auto metric = of_dimension(kMetric, d);
    const auto lanes = model->metric_slow_kernel(noise, metric, Precision::full),
               single = model->metric_slow_kernel(noise, metric, Precision::single);
    const auto dense = slow::dense_metric_kernel(*model, noise, metric);
    slow::Steps steps;
    steps.parameters = kLocal;
    steps.dt = 1e-3;
    for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
      steps.integrator = integrator;
      steps.first_step = 17;
      steps.count = 60;
      auto x = from, y = from, z = from;
      CHECK(lanes->advance(x.data(), {5, 64, 0}, steps) == 0);
      CHECK(dense->advance(y.data(), {5, 64, 0}, steps) == 0);
      CHECK(single->advance(z.data(), {5, 64, 0}, steps) == 0);
      CHECK(farthest(x.data(), y.data(), 2 * d) < 1e-9);
      CHECK(farthest(z.data(), y.data(), 2 * d) < 1e-4);
      CHECK(farthest(z.data(), y.data(), 2 * d) > 1e-9);  // in float indeed
      CHECK(farthest(x.data(), from.data(), d) > 1e-3);
      // In two calls: v is kept in the state.
      auto again = from;
      steps.count = 25;
      lanes->advance(again.data(), {5, 64, 0}, steps);
      steps.first_step += 25;
      steps.count = 35;
      lanes->advance(again.data(), {5, 64, 0}, steps);
      CHECK(farthest(again.data(), x.data(), 2 * d) < 1e-13);
    }
  };
  check(loss::Ring{0.5}, {0.5, 0.9});
  check(loss::Hyperbola{}, {1.5, 0.7});
  check(loss::DiagonalNetwork(3, 4, 1, 5), {1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7});
}

TEST_CASE("in lanes: float is double to its rounding, for every loss") {
  for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const auto from = states(*model, start);
    // Half a unit of float, 6e-8, times the ratio of the Hessian's eigenvalues: 2,500 of the tanh network, elsewhere at
    // most 170.
    const double near = 6e-8 * (std::string_view(name) == "tanh network" ? 2500 : 170);
    check_steps(*model, every_source(model->dim(), Sampling::full), kMetric, kLocal, from, Precision::single, near);
  });
}

TEST_CASE("in lanes: a lost lane is the one that is lost") {
  const auto model = model_of(loss::Ring{0.5});
  const auto metric = of_dimension(kMetric, 2);
  const auto kernel = model->metric_slow_kernel(constant({0.5, 0.1, -0.2, 0.3}, 2), metric, Precision::full);
  auto x = states(*model, {0.5, 0.9});
  const auto from = x;
  std::vector<double> xi(2 * kLanes, 0.3), martingale(xi);
  kernel->step(x.data(), kLocal, 0.01, xi.data(), martingale.data());
  auto y = from;
  xi[11] = xi[kLanes + 11] = 1e5;  // far beyond the circle
  CHECK(kernel->step(y.data(), kLocal, 0.01, xi.data(), martingale.data()) == 1u << 11);
  for (int l = 0; l < kLanes; ++l)
    if (l != 11)
      for (int k = 0; k < 4; ++k) CHECK(x[k * kLanes + l] == y[k * kLanes + l]);
  y = from;
  y[3] = std::numeric_limits<double>::quiet_NaN();
  CHECK(kernel->step(y.data(), kLocal, 0.01, xi.data(), martingale.data()) == ((1u << 11) | (1u << 3)));
}

TEST_CASE("which kernel: lanes where residuals vanish or there are none, else the dense path") {
  const auto columns = [](const LossModel& model, bool interpolating) {
    const auto kernel =
        slow::metric_slow_kernel(model, label(1), of_dimension(kMetric, model.dim()), interpolating, Precision::full);
    return kernel->innovations().count();
  };
  CHECK(columns(*model_of(loss::Ring{0.5}), true) == 0);  // the dense one would ask for the label's draws
  CHECK(columns(*make_model(OnACircle{}), false) == 3);
}
