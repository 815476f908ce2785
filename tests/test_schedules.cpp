// Schedules, polynomials, moments.
#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

#include "sde/discrete/algorithms.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/stats/moments.hpp"

using namespace sde;
using discrete::LearningRate;
using discrete::Synchronization;

TEST_CASE("learning rates: ends, middle, warm-up, and slow time fitted") {
  LearningRate r{.kind = LearningRate::Kind::cosine, .eta = 0.1, .steps = 1000, .floor = 0.1};
  CHECK(r(0) == doctest::Approx(0.1));
  CHECK(r(500) == doctest::Approx(0.055));
  CHECK(r(1000) == doctest::Approx(0.01));
  r = {.kind = LearningRate::Kind::linear, .eta = 0.1, .steps = 1000, .warmup = 100};
  CHECK(r(0) == doctest::Approx(0.001));
  CHECK(r(99) == doctest::Approx(0.1));
  CHECK(r(550) == doctest::Approx(0.05));
  r = {.kind = LearningRate::Kind::step, .eta = 0.1, .steps = 1000, .factor = 0.5, .milestones = {0.5, 0.75}};
  CHECK(r(499) == 0.1);
  CHECK(r(500) == 0.05);
  CHECK(r(750) == 0.025);
  for (auto kind : {LearningRate::Kind::constant, LearningRate::Kind::cosine, LearningRate::Kind::linear}) {
    LearningRate fitted{.kind = kind, .eta = 0.01};
    fitted.fit_steps(0.7);
    CHECK(fitted.slow_time() == doctest::Approx(0.7).epsilon(2e-4));
  }
}

TEST_CASE("slow time is reached whatever the warm-up, and what cannot be reached is refused") {
  for (const std::int64_t warmup : {300, 1000, 10'000, 1'000'000})
    for (auto kind : {LearningRate::Kind::constant, LearningRate::Kind::cosine, LearningRate::Kind::step}) {
      LearningRate r{.kind = kind, .eta = 0.02, .warmup = warmup, .milestones = {0.5, 0.75}};
      r.fit_steps(0.1);
      CAPTURE(warmup);
      CHECK(std::abs(r.slow_time() - 0.1) <= r.eta * r.eta);
    }
  LearningRate tiny{.eta = 1e-12};
  CHECK_THROWS_AS(tiny.fit_steps(0.1), std::invalid_argument);
  LearningRate cosine{.kind = LearningRate::Kind::cosine, .eta = 1e-6};
  CHECK_THROWS_AS(cosine.fit_steps(0.1), std::invalid_argument);
}

TEST_CASE("a schedule of rates is observed at its end; without one the nearest end of a round is") {
  ensemble::Method m;
  auto& a = m.algorithm;
  a = {.type = &discrete::local_sgd, .workers = 4, .batch = 4};
  a.sync.H = 50;
  a.rate = {.kind = LearningRate::Kind::step, .eta = 0.02, .milestones = {0.5, 0.75}};
  a.rate.fit_steps(0.5);
  const double all = a.rate.slow_time(), last_round = 50 * std::pow(0.02 * 0.01, 2);
  CHECK(last_round < 1e-5);  // the phases with small rates take no time, and half of the steps
  for (const auto* type : discrete::Algorithms::all()) {
    if (!type->has_conventional_sde()) continue;  // momenta and their kin: tests/test_linear_methods.cpp
    CAPTURE(type->name());
    a.type = type;
    a.workers = type == &discrete::sgd ? 1 : 4;
    a.sync.kind = type == &discrete::qsr ? Synchronization::Kind::qsr : Synchronization::Kind::constant;
    a.sync.beta = 0.1;
    a.sync.switch_step = type == &discrete::post_local_sgd ? 100 : 0;
    const auto times = ensemble::observed_times(m, {0, 0.25, 0.5});
    CHECK(times[0] == 0);
    CHECK(std::abs(times[1] - 0.25) < 0.5 * 50 * 4e-4 + 1e-9);
    CHECK(times[2] == doctest::Approx(all).epsilon(1e-12));
    CHECK(ensemble::observed_times(m, {0, 0.25}).back() < 0.3);  // not the end where that is not asked for
  }
  a = {.type = &discrete::local_sgd, .rate = {.eta = 0.02}, .sync = {.H = 200}, .workers = 4, .batch = 4};
  CHECK(ensemble::observed_times(m, {0, 0.03, 0.05, 0.1}) ==
        std::vector<double>{0, 0, 200 * 0.02 * 0.02, 200 * 0.02 * 0.02});
  m.dynamics = &ensemble::slow_ode();
  CHECK(ensemble::observed_times(m, {0, 0.03, 0.1}) == std::vector<double>{0, 0.03, 0.1});
}

TEST_CASE("synchronization: constant, proportional to 1/eta, QSR, post-local") {
  CHECK(Synchronization{.H = 7}(0, 0.1) == 7);
  const Synchronization inverse{.kind = Synchronization::Kind::inverse, .H = 2, .beta = 0.5};
  CHECK(inverse(0, 0.1) == 5);
  CHECK(inverse(0, 1.0) == 2);
  const Synchronization qsr{.kind = Synchronization::Kind::qsr, .H = 2, .beta = 0.5};
  CHECK(qsr(0, 0.1) == 25);
  const Synchronization post{.H = 7, .switch_step = 100};
  CHECK(post(99, 0.1) == 1);
  CHECK(post(100, 0.1) == 7);
}

TEST_CASE("rounds of communication: one at each round's end, the last cut short, or one a step") {
  discrete::Algorithm a{.type = &discrete::local_sgd, .workers = 4, .batch = 4};
  a.sync.H = 10;
  CHECK(a.communication_rounds(1005) == 101);
  CHECK(a.communication_rounds(1000) == 100);
  CHECK(discrete::Algorithm{.type = &discrete::sgd}.communication_rounds(1005) == 1005);
  a.type = &discrete::post_local_sgd;
  a.sync.switch_step = 500;
  CHECK(a.communication_rounds(1000) == 500 + 50);
  // eta halves at 500: (0.5/eta)^2 is 25, then 100.
  a.type = &discrete::qsr;
  a.sync = {.kind = Synchronization::Kind::qsr, .H = 1, .beta = 0.5};
  a.rate = {.kind = LearningRate::Kind::step, .eta = 0.1, .steps = 1000, .factor = 0.5, .milestones = {0.5}};
  CHECK(a.communication_rounds(1000) == 20 + 5);
}

TEST_CASE("polynomials: values, and errors with the place") {
  const double x[3] = {2, 3, 5};
  CHECK(ensemble::Polynomial::parse("x1^2 - x2^2", 3)(x) == -5);
  CHECK(ensemble::Polynomial::parse("-0.5*x1*x3 + 2", 3)(x) == -3);
  for (const char* bad : {"x4", "x1 +", "y", "x1^", "x1 x2", ""})
    CHECK_THROWS_AS(ensemble::Polynomial::parse(bad, 3), std::invalid_argument);
}

TEST_CASE("merged moments equal moments of the whole") {
  stats::Moments whole, left, right;
  for (int i = 0; i < 500; ++i) {
    const double x = std::sin(i * 1.7) + 0.3 * std::cos(i * 0.1);
    whole.add(x);
    (i < 123 ? left : right).add(x);
  }
  left.merge(right);
  CHECK(left.mean == doctest::Approx(whole.mean).epsilon(1e-12));
  CHECK(left.m2 == doctest::Approx(whole.m2).epsilon(1e-12));
  CHECK(left.m4 == doctest::Approx(whole.m4).epsilon(1e-12));
  stats::Moments exact;
  for (double v : {1.0, 2.0, 3.0, 4.0}) exact.add(v);
  CHECK(exact.variance() == doctest::Approx(5.0 / 3));
  CHECK(exact.m4 == doctest::Approx(2 * (1.5 * 1.5 * 1.5 * 1.5 + 0.0625)));
}
