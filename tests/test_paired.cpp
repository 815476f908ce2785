// Common noise between algorithm and slow SDE: the algorithm's bits are untouched, the SDE keeps its law, the controls
// are unbiased, and the difference has far less variance than either side.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/verify/paired.hpp"

using namespace sde;
using namespace sde::test;

namespace {

verify::Pairing pairing_of(double eta, int K, int H, double T, long paths) {
  verify::Pairing p;
  p.algorithm = {.workers = K, .batch = 4, .seed = 7};
  p.algorithm.rate.eta = eta;
  p.algorithm.sync.H = H;
  p.predictions = {verify::theory(p.algorithm)};
  p.times = {T / 2, T};
  p.paths = paths;
  return p;
}

Problem ring() { return problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1}); }
Problem valley() { return problem_of(loss::Valley{}, constant({0.5, 0, 0, 1.4}, 2), {0.8, 0}); }

}  // namespace

TEST_CASE("recording the noise changes no bit of the algorithm") {
  const Problem p = ring();
  auto pairing = pairing_of(0.02, 4, 10, 0.2, 150);
  pairing.functions = {verify::coordinate(0), verify::sharpness()};
  const auto paired = verify::run_paired(p, pairing, kTwoThreads);
  Method m;
  set(m, Kind::local_sgd);
  m.algorithm = pairing.algorithm;
  m.paths = pairing.paths;
  const auto alone = ensemble::run(p, m, at({0, paired.slow_time[0], paired.slow_time[1]}, {"x1"}, 2), kTwoThreads);
  for (std::size_t t = 0; t < 2; ++t) {
    CHECK(alone.slow_time[t + 1] == doctest::Approx(paired.slow_time[t]).epsilon(1e-12));
    CHECK(alone.at(t + 1, "x1").mean == paired.algorithm[t][0].mean);
    CHECK(alone.at(t + 1, "trace_hessian").m2 == paired.algorithm[t][1].m2);
  }
}

TEST_CASE("same bits for any number of threads") {
  auto pairing = pairing_of(0.02, 4, 10, 0.2, 150);
  pairing.functions = {verify::coordinate(0)};
  const auto one = verify::run_paired(ring(), pairing, {.threads = 1}),
             three = verify::run_paired(ring(), pairing, {.threads = 3});
  CHECK(one.gap[0][1][0].mean == three.gap[0][1][0].mean);
  CHECK(one.gap[0][1][0].m4 == three.gap[0][1][0].m4);
}

TEST_CASE("driven by the algorithm's noise the SDE keeps its law, and the martingale control its mean: the sphere") {
  // E zeta = zeta(0) exp(-(d-1) s^2 t/(2B)); what is left of the time step is second order, far below the interval.
  const int d = 3;
  const double s = 0.9, T = 0.5;
  std::vector<double> factor(9, 0.0);
  for (int k = 0; k < d; ++k) factor[k * d + k] = s;
  const Problem p = problem_of(loss::Sphere{d}, constant(factor, d), {1, 0, 0});
  auto pairing = pairing_of(0.02, 4, 10, T, 8192);
  pairing.functions = {verify::coordinate(0), verify::square(0), verify::coordinate(1)};
  const auto r = verify::run_paired(p, pairing, kTwoThreads);
  const double t = r.slow_time[1], B = pairing.algorithm.batch;
  const double mean = std::exp(-(d - 1) * s * s * t / (2 * B));
  const double second = 1.0 / d + (1 - 1.0 / d) * std::exp(-d * s * s * t / B);
  const double known[] = {mean, second, 0.0}, start[] = {1, 1, 0};
  for (std::size_t q = 0; q < 3; ++q) {
    CAPTURE(q);
    const auto &plain = r.prediction[0][1][q], &controlled = r.drift[0][1][q];
    CHECK(std::abs(plain.mean - known[q]) < 5 * plain.standard_error());
    CHECK(std::abs(start[q] + controlled.mean - known[q]) < 5 * controlled.standard_error());
    CHECK(controlled.variance() < 0.2 * plain.variance());
    // The algorithm differs by O(eta); its controlled mean must agree with its own plain one.
    CHECK(std::abs(start[q] + r.increment[1][q].mean - r.algorithm[1][q].mean) <
          5 * r.algorithm[1][q].standard_error());
    CHECK(r.increment[1][q].variance() < 0.2 * r.algorithm[1][q].variance());
  }
}

TEST_CASE("common noise: 100 times fewer gradients for the same interval on ring and valley, at eta = 0.005") {
  const Problem problems[] = {ring(), valley()};
  for (const auto& p : problems) {
    auto pairing = pairing_of(0.005, 4, 80, 0.5, 1024);
    pairing.functions = {verify::coordinate(0), verify::bounded(0), verify::sharpness()};
    const auto r = verify::run_paired(p, pairing, kTwoThreads);
    for (std::size_t q = 0; q < pairing.functions.size(); ++q) {
      // Plain Monte Carlo pays the variance of the algorithm (the SDE's apart); the gap's that of the difference.
      const double gain = r.algorithm[1][q].variance() / r.gap[0][1][q].variance();
      MESSAGE(pairing.functions[q].name << ": gain " << gain);
      CHECK(gain > 100);
    }
  }
}

TEST_CASE("a dropped drift-II is seen: the gap lies 5 standard errors away") {
  auto pairing = pairing_of(0.02, 4, 20, 0.5, 1024);
  pairing.functions = {verify::sharpness()};
  auto wrong = pairing.predictions[0];
  wrong.name = "without drift-II";
  wrong.parameters.workers = 1;
  pairing.predictions.push_back(wrong);
  const auto r = verify::run_paired(valley(), pairing, kTwoThreads);
  const auto &right = r.gap[0][1][0], &dropped = r.gap[1][1][0];
  CHECK(std::abs(dropped.mean) > 5 * dropped.standard_error());
  CHECK(std::abs(dropped.mean) > 5 * std::abs(right.mean));
}

TEST_CASE("folded draws: at twice the rate one draw is four of the finer algorithm's, and free motion is the same") {
  // Without noise across the valley v = 0 and u moves by -eta s xi/sqrt(B_loc): 2 eta (xi_1 + ... + xi_4)/2.
  const Problem p = problem_of(loss::Valley{}, constant({0.7, 0}, 1), {0.5, 0});
  auto fine = pairing_of(0.01, 4, 20, 1, 1).algorithm;
  auto coarse = fine;
  coarse.rate.eta = 0.02;
  coarse.sync.H = 10;
  coarse.increments.coarsening = 4;
  double x[2 * kLanes], y[2 * kLanes], spread[kLanes], sums_fine[kLanes] = {}, sums_coarse[kLanes] = {};
  for (int l = 0; l < kLanes; ++l) x[l] = y[l] = 0.5, x[kLanes + l] = y[kLanes + l] = 0;
  const auto recorded = innovations_on_gamma(p.noise);
  p.model->recording_kernel(p.noise, fine, recorded)->advance(x, 3, 0, 400, spread, sums_fine);
  p.model->recording_kernel(p.noise, coarse, recorded)->advance(y, 3, 0, 100, spread, sums_coarse);
  for (int l = 0; l < kLanes; ++l) {
    CHECK(x[l] != 0.5);
    CHECK(y[l] == doctest::Approx(x[l]).epsilon(1e-13));
    CHECK(2 * sums_coarse[l] == doctest::Approx(sums_fine[l]).epsilon(1e-12));
  }
}

TEST_CASE("the extrapolation removes the time-step error of first order: hyperbola, q = q0 exp(-sigma^2 t/B)") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2, 0.5});
  auto pairing = pairing_of(0.02, 1, 1, 1, 8);
  pairing.dt = 0.05;
  pairing.functions = {{.name = "q", .u = Eigen::Vector2d(1, -1), .w = Eigen::Vector2d(1, 1)}};
  const auto r = verify::run_paired(p, pairing, kTwoThreads);
  const double exact = 3.75 * std::exp(-r.slow_time[1] / pairing.algorithm.batch);
  const double extrapolated = r.prediction[0][1][0].mean, fine = extrapolated - r.step_error[0][1][0].mean;
  CHECK(std::abs(fine - exact) > 1e-3);  // Euler's error at dt = 0.05
  CHECK(std::abs(extrapolated - exact) < 0.05 * std::abs(fine - exact));
}

TEST_CASE("polynomials as test functions: the same value but for a constant, the same derivative; none of degree 3") {
  const Vector x = Eigen::Vector4d(0.3, -1.2, 0.7, 2.1), y = Eigen::Vector4d(-0.4, 0.5, 1.1, -0.2);
  const Vector v = Eigen::Vector4d(0.2, 0.9, -0.6, 0.4);
  for (const char* text : {"x1", "2 - 3*x2 + 0.5*x4", "x1^2", "-x3^2", "x1*x2", "x1^2 - x2^2", "2*x2*x4 + x2^2",
                           "x1^2 - 2*x1 + 5", "x1*x2 - 3*x1 + 0.5*x2", "x1^2 + 2*x1*x3 + x3^2 - x1 - x3"}) {
    CAPTURE(text);
    const auto p = ensemble::Polynomial::parse(text, 4);
    const auto g = verify::test_function(p);
    REQUIRE(g.has_value());
    CHECK(g->name == text);
    const auto f = g->flat();
    CHECK(f.value(x.data()) - f.value(y.data()) == doctest::Approx(p(x.data()) - p(y.data())).epsilon(1e-12));
    const double h = 1e-5;
    const Vector ahead = x + h * v, behind = x - h * v;
    CHECK(f.derivative(x.data(), v.data()) ==
          doctest::Approx((p(ahead.data()) - p(behind.data())) / (2 * h)).epsilon(1e-8));
  }
  for (const char* text : {"3", "x1^3", "x1*x2*x3", "x1^2 + x2^2", "x1^2 - x2", "x1*x2 + x3"}) {
    CAPTURE(text);
    CHECK_FALSE(verify::test_function(ensemble::Polynomial::parse(text, 4)).has_value());
  }
}

TEST_CASE("pairs under schedules that change: the algorithm's bits, nearly all noise common, the slow SDE's law") {
  const Problem p = ring();
  const auto decaying = [](const discrete::AlgorithmType& type) {
    discrete::Algorithm a{.type = &type, .workers = 4, .batch = 4, .seed = 7};
    a.rate.eta = 0.02;
    a.rate.kind = discrete::LearningRate::Kind::cosine;
    a.rate.warmup = 100;
    a.sync.H = 10;
    a.rate.fit_steps(1.0);
    a.parameters = {1.0 / 3};  // the switch of post-local SGD
    type.set_steps(a);
    return a;
  };
  auto qsr = decaying(discrete::qsr);
  qsr.sync.kind = discrete::Synchronization::Kind::qsr;
  qsr.sync.beta = 0.06;
  auto sgd = decaying(discrete::sgd);
  sgd.workers = 1;
  for (const auto& a : {sgd, decaying(discrete::local_sgd), decaying(discrete::post_local_sgd), qsr}) {
    CAPTURE(std::string(a.type->name()));
    verify::Pairing pairing;
    pairing.algorithm = a;
    auto prediction = verify::theory(a);
    prediction.at = [a](std::int64_t k) { return a.type->slow_sde(a, k); };
    auto wrong = prediction;  // the rate's slow SDE, at K = 1 throughout
    wrong.at = [a](std::int64_t k) {
      auto x = a.type->slow_sde(a, k);
      x.workers = 1;
      return x;
    };
    pairing.predictions = {prediction, wrong};
    pairing.times = {0.3, 0.6, 0.95};
    pairing.times = verify::paired_times(pairing);
    pairing.functions = {verify::coordinate(0), verify::sharpness()};
    pairing.paths = 512;
    const auto r = verify::run_paired(p, pairing, kTwoThreads);
    Method m;
    m.algorithm = a;
    m.paths = pairing.paths;
    std::vector<double> times{0};
    times.insert(times.end(), r.slow_time.begin(), r.slow_time.end());
    const auto alone = ensemble::run(p, m, at(times, {"x1"}, 2), kTwoThreads);
    for (std::size_t t = 0; t < 3; ++t) {
      CHECK(alone.slow_time[t + 1] == doctest::Approx(r.slow_time[t]).epsilon(1e-10));
      CHECK(r.slow_time[t] == doctest::Approx(pairing.times[t]).epsilon(1e-12));
      CHECK(alone.at(t + 1, "x1").mean == r.algorithm[t][0].mean);
    }
    CHECK(r.gradients == doctest::Approx(alone.gradients));
    const auto& gap = r.gap[0][2][0];
    MESSAGE(std::string(a.type->name()) << ": " << gap.mean << " +- " << gap.standard_error() << ", variance "
                                        << gap.variance() / r.algorithm[2][0].variance());
    CHECK(gap.variance() < 0.05 * r.algorithm[2][0].variance());
    CHECK(std::abs(gap.mean) < 5 * gap.standard_error() + 0.01);  // the theory's error, first order in eta = 0.02
    CHECK(std::abs(r.step_error[0][2][0].mean) < 0.005);
    // Drift-II left out is seen where there are workers.
    const auto& off = r.gap[1][2][0];
    CHECK((std::abs(off.mean - gap.mean) > 5 * off.standard_error()) == (a.workers > 1));
  }
}

TEST_CASE("two observations on one time of a pair have one time; a run of less than two rounds has none") {
  auto pairing = pairing_of(0.02, 4, 100, 0.2, 64);  // rounds of 0.04
  pairing.times = {0.01, 0.05, 0.09, 0.17};
  CHECK(verify::paired_times(pairing) == std::vector<double>{0.08, 0.08, 0.08, 0.16});
  pairing.algorithm.rate.kind = discrete::LearningRate::Kind::linear;
  pairing.algorithm.rate.steps = 60;
  CHECK_THROWS_WITH_AS(verify::paired_times(pairing), doctest::Contains("two rounds"), std::invalid_argument);
  pairing.algorithm.rate.steps = 6000;
  pairing.times.assign(500, 0.8);
  CHECK(verify::paired_times(pairing) == std::vector<double>(500, verify::paired_times(pairing)[0]));
  pairing.burn_in = 0.1;
  CHECK_THROWS_WITH_AS(verify::paired_times(pairing), doctest::Contains("burn-in"), std::invalid_argument);
}
