// Paths as such: the same bits whoever runs them, those that leave the domain, and those of steps in float.
#include <doctest/doctest.h>

#include "problems.hpp"

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
