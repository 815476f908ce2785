// Paths as such: the same bits whoever runs them, those that leave the domain, and those of steps in float.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/stats/covariance.hpp"

using namespace sde;
using namespace sde::test;

TEST_CASE("the same bits for any number of threads, and a path does not depend on how many others run") {
  const Problem p = problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1});
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    Method m = slow_method(kind, 4, 4, 0.2, 0.01, 333);
    m.algorithm.rate.eta = 0.02;
    m.algorithm.sync.H = 10;
    const Observation o = at({0, 0.1, 0.2}, {"x1"}, 2);
    const auto one = ensemble::run(p, m, o, {.threads = 1}), three = ensemble::run(p, m, o, {.threads = 3});
    m.paths = 37;
    const auto few = ensemble::run(p, m, o, {.threads = 2});
    for (std::size_t q = 0; q < one.observables.size(); ++q) {
      CHECK(one.values[2][q].mean == three.values[2][q].mean);
      CHECK(one.values[2][q].m4 == three.values[2][q].m4);
      for (std::size_t i = 0; i < 37; ++i) CHECK(few.samples[2][q][i] == one.samples[2][q][i]);
    }
  }
}

TEST_CASE("pairs of components are numbered row by row, up to a limit") {
  for (const int n : {0, 1, 2, 3, 5, kMatrixComponents, kMatrixComponents + 3}) {
    int p = 0;
    for (int i = 0; i < matrix_components(n); ++i)
      for (int k = i + 1; k < matrix_components(n); ++k, ++p) {
        CHECK(pair_of(p, n).first == i);
        CHECK(pair_of(p, n).second == k);
      }
    CHECK(p == pairs_of(n));
  }
}

TEST_CASE("the diffusion matrix: predicted by hand, measured as the covariance of the paths' own increments") {
  const double B = 4, width = 0.01;
  const Eigen::Matrix2d A = (Eigen::Matrix2d() << 1.5, 0.4, -0.3, 1.1).finished();
  const Problem p = problem_of(loss::Ring{0.5}, constant({A(0, 0), A(1, 0), A(0, 1), A(1, 1)}, 2), {0.6, 0.8});
  const Eigen::Vector2d along(-0.8, 0.6);
  const double expected = along[0] * along[1] * (A.transpose() * along).squaredNorm() / B;
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    Method m = slow_method(kind, 2, B, 0.2, width / 10, 2000);
    m.algorithm.rate.eta = 0.02;
    m.algorithm.sync.H = 5;
    Observation o = at({0, width, 2 * width}, {"x1", "x2"}, 2);
    o.components = 2;
    const auto r = ensemble::run(p, m, o, kTwoThreads);
    CHECK(r.diffusion_pairs[0][0].mean == doctest::Approx(expected).epsilon(1e-8));
    const auto x = r.index_of("x1"), y = r.index_of("x2");
    for (std::size_t t = 0; t < 2; ++t) {
      const double time = r.slow_time[t + 1] - r.slow_time[t];
      const auto rate = [&](std::size_t q, std::size_t i) {
        return (r.samples[t + 1][q][i] - r.samples[t][q][i]) / time;
      };
      double product = 0, mean_x = 0, mean_y = 0;
      for (std::size_t i = 0; i < 2000; ++i) {
        mean_x += rate(x, i) / 2000;
        mean_y += rate(y, i) / 2000;
      }
      for (std::size_t i = 0; i < 2000; ++i) product += (rate(x, i) - mean_x) * (rate(y, i) - mean_y) / 1999;
      const auto found = stats::covariance(r.rate[t][0], r.rate[t][1], r.rate_sums[t][0], r.rate_differences[t][0]);
      CHECK(found.value == doctest::Approx(product).epsilon(1e-7));
      // The paths spread a little, and eta is finite: within 5% and the interval.
      CHECK(std::abs(found.value * time - expected) < kZ * found.standard_error * time + 0.05 * std::abs(expected));
    }
  }
}

TEST_CASE("samples know their paths: the first ones whatever was lost, and more of them where they are asked for") {
  const Problem p = problem_of(loss::Hyperbola{}, constant({3.0, 0, 0, 3.0}, 2), {2.0, 0.5});
  Method m;
  m.paths = 3000;
  m.algorithm = {.workers = 1, .batch = 1, .seed = 2};
  m.algorithm.rate.eta = 0.14;
  Observation o = at({0, 1, 2, 3}, {}, 2);
  const auto usual = ensemble::run(p, m, o, kTwoThreads);
  o.save_paths = 2900;
  const auto more = ensemble::run(p, m, o, {.threads = 1});
  REQUIRE(more.lost > 100);
  REQUIRE(more.lost < 2000);
  CHECK(usual.samples[0][0].size() == 2048);
  CHECK(more.samples[0][0].size() == 2900);
  for (std::size_t t = 0; t < 4; ++t) {
    const auto& numbers = more.sample_paths[t];
    REQUIRE(numbers.size() == more.samples[t][0].size());
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
    CHECK(std::equal(usual.sample_paths[t].begin(), usual.sample_paths[t].end(), numbers.begin()));
    CHECK(usual.quantile(t, 1, 0.3) == more.quantile(t, 1, 0.3));
  }
  CHECK(more.sample_paths[3].size() < more.sample_paths[0].size());  // lost ones are missing, others keep their numbers
  m.paths = 40;
  const auto few = ensemble::run(p, m, o, {.threads = 1});
  for (std::size_t i = 0; i < few.sample_paths[3].size(); ++i) {
    CHECK(few.sample_paths[3][i] == more.sample_paths[3][i]);
    CHECK(few.samples[3][1][i] == more.samples[3][1][i]);
  }
}

TEST_CASE("a path that diverges is counted with its place, and the rest is kept") {
  const Problem p = problem_of(loss::Hyperbola{}, constant({3.0, 0, 0, 3.0}, 2), {2.0, 0.5});
  Method m;
  m.paths = 64;
  m.algorithm = {.workers = 1, .batch = 1, .seed = 2};
  m.algorithm.rate.eta = 0.16;
  const auto r = ensemble::run(p, m, at({0, 1, 2, 3}, {}, 2), kTwoThreads);
  CHECK(r.lost > 0);
  CHECK(r.first_lost.step > 0);
  CHECK(!r.first_lost.reason.empty());
  CHECK(r.values.back()[0].n == 64 - r.lost);
  CHECK(std::isfinite(r.values.back()[0].mean * (r.lost < 64)));
}

TEST_CASE("float steps stay within rounding of the double ones on the same noise") {
  const Problem p = problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1});
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    Method m = slow_method(kind, 4, 4, 0.2, 0.005, 256);
    m.algorithm.rate.eta = 0.02;
    m.algorithm.sync.H = 10;
    const Observation o = at({0, 0.25, 1.0}, {"x1"}, 2);
    const auto wide = ensemble::run(p, m, o, kTwoThreads);
    m.precision = Precision::single;
    const auto narrow = ensemble::run(p, m, o, kTwoThreads);
    const std::size_t q = wide.observables.size() - 1;
    double square = 0;
    for (std::size_t i = 0; i < 256; ++i) square += std::pow(narrow.samples[2][q][i] - wide.samples[2][q][i], 2);
    const double rms = std::sqrt(square / 256);
    MESSAGE("rms difference at slow time 1: " << rms);
    CHECK(rms > 1e-9);  // it is another precision
    // Random walk of the roundings, 2^-24 a step: 2,500 steps of the algorithm, 200 of the SDE with some ten roundings.
    CHECK(rms < 10 * 0x1p-24 * std::sqrt(2500.0));
  }
}

TEST_CASE("a long walk along Gamma in float: what ten million steps round off does not add up") {
  // Label noise alone does not diffuse: at slow time 10 the paths' q = x1^2 - x2^2 is the slow ODE's 1.7e-4 but for
  // the fluctuation across Gamma. Uncompensated sums left 2.1e-4, and scattered by 5e-5.
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2, 0.5});
  for (const int workers : {1, 2}) {
    CAPTURE(workers);
    Method m;
    set(m, workers == 1 ? Kind::sgd : Kind::local_sgd);
    m.algorithm.workers = m.algorithm.batch = workers;
    m.algorithm.sync.H = workers == 1 ? 1 : 50;
    m.algorithm.rate.eta = workers == 1 ? 0.001 : 0.002;
    m.algorithm.seed = 3;
    m.paths = 64;
    const Observation o = at({0, 10}, {"x1^2 - x2^2"}, 2);
    const auto in_double = ensemble::run(p, m, o, kTwoThreads);
    m.precision = Precision::single;
    const auto in_float = ensemble::run(p, m, o, kTwoThreads);
    const auto wide = last(in_double, "x1^2 - x2^2"), narrow = last(in_float, "x1^2 - x2^2");
    const std::size_t q = in_float.index_of("x1^2 - x2^2");
    double square = 0;
    for (std::size_t i = 0; i < 64; ++i)
      square += std::pow(in_float.samples[1][q][i] - in_double.samples[1][q][i], 2) / 64;
    MESSAGE("path by path: " << std::sqrt(square));
    MESSAGE("double " << wide.mean << " +- " << wide.standard_error() << ", float " << narrow.mean << " +- "
                      << narrow.standard_error());
    CHECK(std::abs(narrow.mean - wide.mean) < 5 * std::hypot(narrow.standard_error(), wide.standard_error()) + 2e-7);
    CHECK(std::sqrt(square) < 8 * 0x1p-23);  // q is read off floats, whose spacing at 1 is 2^-23
  }
}
