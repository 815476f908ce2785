// The dynamics beyond the closed forms of theory.md section 7: retractions in the weak limit, schedules,
// state-dependent noise, disagreement of the workers, the two forms of the slow kernel.
#include <doctest/doctest.h>

#include "problems.hpp"

using namespace sde;
using namespace sde::test;

TEST_CASE("both retractions have the same weak limit: paired paths on the ring, correlated noise") {
  // The same increments drive both. Their distance is first order in dt, and the mean difference vanishes with it.
  const Problem p = problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1});
  const Observation o = at({0, 1.0}, {"x1", "x1*x2"}, 2);
  double rms[2][2] = {}, mean[2][2] = {}, error[2][2] = {};
  for (int level = 0; level < 2; ++level) {
    Method newton = slow_method(Kind::slow_local_sgd, 4, 4, 0.3, 0.02 / (1 << level), MethodResult::kQuantilePaths);
    Method flow = newton;
    flow.flow_retraction = true;
    const auto a = ensemble::run(p, newton, o, kTwoThreads), b = ensemble::run(p, flow, o, kTwoThreads);
    for (int q = 0; q < 2; ++q) {
      stats::Moments gap, square;
      for (std::size_t i = 0; i < a.samples[1][5].size(); ++i) {
        const double g = b.samples[1][5 + q][i] - a.samples[1][5 + q][i];
        gap.add(g);
        square.add(g * g);
      }
      rms[level][q] = std::sqrt(square.mean);
      mean[level][q] = gap.mean;
      error[level][q] = gap.standard_error();
    }
  }
  for (int q = 0; q < 2; ++q) {
    CAPTURE(q);
    CAPTURE(mean[0][q]);
    CAPTURE(mean[1][q]);
    CHECK(rms[0][q] > 0);  // two different retractions
    CHECK(std::log2(rms[0][q] / rms[1][q]) == doctest::Approx(1).epsilon(0.25));
    const double limit = 2 * mean[1][q] - mean[0][q];  // Richardson: no term of first order left
    const double se = std::hypot(2 * error[1][q], error[0][q]);
    CHECK(std::abs(limit) + kZ * se < 2e-3);  // equivalent, observables are of size 1
  }
}

TEST_CASE("schedules: discrete post-local SGD and QSR follow their slow ODEs") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2.5, 0.4});
  const Observation o = at({0, 0.5, 1}, {"x1^2 - x2^2"}, 2);
  Method algorithm;
  set(algorithm, Kind::local_sgd);
  algorithm.paths = 512;
  algorithm.algorithm = {.workers = 8, .batch = 8, .seed = 3};
  auto& a = algorithm.algorithm;
  a.rate.kind = discrete::LearningRate::Kind::cosine;
  a.rate.eta = 0.008;
  a.rate.floor = 0.2;
  a.rate.warmup = 500;
  a.rate.fit_steps(1);
  const auto compare = [&] {
    Method slow = algorithm;
    slow.dynamics = &ensemble::slow_ode();
    slow.refined = true;
    slow.paths = 1;
    const auto x = ensemble::run(p, algorithm, o, kTwoThreads), y = ensemble::run(p, slow, o, kTwoThreads);
    slow.algorithm.type = &discrete::sgd;
    slow.algorithm.workers = 1;
    const auto sgd = ensemble::run(p, slow, o, kTwoThreads);
    for (std::size_t t = 1; t < 3; ++t) {
      const auto& m = x.values[t][5];
      CAPTURE(t);
      CAPTURE(m.mean);
      CAPTURE(y.values[t][5].mean);
      CHECK(std::abs(m.mean - y.values[t][5].mean) < 0.01 * m.mean + 5 * m.standard_error());
    }
    return std::pair{y, sgd};
  };
  SUBCASE("post-local SGD: SGD until the switch, faster after it") {
    a.type = &discrete::post_local_sgd;
    a.sync.H = 100;
    a.sync.switch_step = a.rate.steps / 2;
    const auto [local, sgd] = compare();
    CHECK(local.values[2][5].mean < 0.95 * sgd.values[2][5].mean);
  }
  SUBCASE("QSR") {
    a.sync.kind = discrete::Synchronization::Kind::qsr;
    a.sync.H = 4;
    a.sync.beta = 0.08;
    const auto [qsr, sgd] = compare();
    CHECK(qsr.values[2][5].mean < 0.8 * sgd.values[2][5].mean);
  }
  SUBCASE("H proportional to 1/eta") {
    a.sync.kind = discrete::Synchronization::Kind::inverse;
    a.sync.H = 4;
    a.sync.beta = 0.5;
    const auto [inverse, sgd] = compare();
    CHECK(inverse.values[2][5].mean < 0.8 * sgd.values[2][5].mean);
  }
}

TEST_CASE("state-dependent noise: E u^2 of a linear SDE by the slow SDE (both integrators) and by Local SGD") {
  // On the valley without noise across, v stays 0 and du = (s0 + s1 u)/sqrt(B) dW: E u is constant and
  // d E u^2/dt = (s0^2 + 2 s0 s1 u0 + s1^2 E u^2)/B.
  const double s0 = 0.6, s1 = 0.5, u0 = 0.5, B = 4, T = 1;
  Noise noise;
  noise.state_rank = 1;
  noise.state = {s0, 0, s1, 0, 0, 0};  // A_0, A_u, A_v
  const Problem p = problem_of(loss::Valley{}, noise, {u0, 0});
  const double forcing = (s0 * s0 + 2 * s0 * s1 * u0) / (s1 * s1);
  const double known = (u0 * u0 + forcing) * std::exp(s1 * s1 * T / B) - forcing;
  const Observation o = at({0, T}, {"x1", "x1^2"}, 2);
  Method m = slow_method(Kind::slow_local_sgd, 4, B, 0.3, 0.005, 30'000);
  for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
    m.integrator = integrator;
    const auto r = ensemble::run(p, m, o, kTwoThreads);
    CHECK(std::abs(last(r, "x1^2").mean - known) < kZ * last(r, "x1^2").standard_error());
    CHECK(std::abs(last(r, "x1").mean - u0) < kZ * last(r, "x1").standard_error());
  }
  set(m, Kind::local_sgd);
  m.algorithm.rate.eta = 0.02;
  m.algorithm.sync.H = 10;
  const auto r = ensemble::run(p, m, o, kTwoThreads);
  // The workers see the noise at their own points: d E u^2 gains s1^2 (K-1) Var_worker/B, of order H eta^2.
  const double margin = s1 * s1 * 3 * (s0 + s1) * (s0 + s1) * 10 * 0.02 * 0.02 / B * T;
  CHECK(std::abs(last(r, "x1^2").mean - known) < margin + kZ * last(r, "x1^2").standard_error());
}

TEST_CASE("disagreement: mean square (K-1)/K eta^2 H Sigma_tt/B_loc after a round of free motion along Gamma") {
  const double su = 0.7, eta = 0.02;
  const int K = 4, B = 8, H = 25;
  const Problem p = problem_of(loss::Valley{}, constant({su, 0}, 1), {0.5, 0});
  Method m = slow_method(Kind::local_sgd, K, B, 0, 0.01, MethodResult::kQuantilePaths);
  m.algorithm.rate.eta = eta;
  m.algorithm.sync.H = H;
  const auto r = ensemble::run(p, m, at({0, 20 * H * eta * eta}, {}, 2), kTwoThreads);
  REQUIRE(r.observables[4] == "disagreement");
  stats::Moments square;
  for (const double s : r.samples[1][4]) square.add(s * s);
  const double known = (K - 1.0) / K * eta * eta * H * su * su / (B / K);
  CHECK(std::abs(square.mean - known) < 5 * square.standard_error());
  CHECK(5 * square.standard_error() < 0.1 * known);
}

TEST_CASE("sampling without replacement: Phi of a flat loss moves by nothing, and every epoch is complete") {
  // On the interpolating Gamma sampled gradients vanish: SGD from anywhere converges to a point of Gamma that only
  // depends on the order of the samples, and without noise nothing moves after that.
  Noise noise;
  noise.sampling = Sampling::without_replacement;
  const Problem p = problem_of(loss::Flat(4, 6, 3), noise, {0.3, -0.2, 0.1, 0.5, -0.4, 0.2});
  Method m = slow_method(Kind::local_sgd, 2, 4, 0, 0.01, 64);
  m.algorithm.rate.eta = 0.1;
  m.algorithm.sync.H = 6;
  const auto r = ensemble::run(p, m, at({0, 30, 60}, {"x1", "x2"}, 6), kTwoThreads);
  for (std::size_t t = 1; t < 3; ++t) CHECK(r.values[t][0].mean < 1e-12);  // loss
  for (std::size_t q : {5u, 6u}) CHECK(r.values[1][q].mean == doctest::Approx(r.values[2][q].mean).epsilon(1e-9));
}

TEST_CASE("the slow kernel of value losses moves as that of squared losses: same draws, same paths") {
  for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const int d = l.dim();
    Noise noise = constant(loss::normal_data(4, 7, 2 * d), 2);  // correlated: tangent-normal blocks too
    for (double& f : noise.factor) f *= 0.3;
    Problem p = problem_of(l, noise, start);
    Method m = slow_method(Kind::slow_local_sgd, 4, 4, 0.3, 0.01, 8);
    const Observation o = at({0, 0.2}, {"x1"}, d);
    const auto a = ensemble::run(p, m, o, kTwoThreads);
    p.interpolating = false;
    const auto b = ensemble::run(p, m, o, kTwoThreads);
    CAPTURE(a.lost);
    CAPTURE(a.first_lost.reason);
    CAPTURE(b.first_lost.reason);
    REQUIRE(a.lost + b.lost == 0);
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(a.samples[1].back()[i] == doctest::Approx(b.samples[1].back()[i]).epsilon(1e-8));
  });
}
