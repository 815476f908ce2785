// Multilevel Monte Carlo is unbiased and cheaper than plain Monte Carlo, in the time step and in the learning rate.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/verify/multilevel.hpp"

using namespace sde;
using namespace sde::test;

namespace {

discrete::Algorithm finest(double eta, int K, long H) {
  discrete::Algorithm a;
  a.rate.eta = eta;
  a.sync.H = H;
  a.workers = K;
  a.batch = 4;
  a.seed = 11;
  return a;
}

}  // namespace

TEST_CASE("levels in the time step: the sphere's closed form inside 5 standard errors") {
  const int d = 3;
  const double s = 0.9, T = 0.5, B = 4;
  std::vector<double> factor(9, 0.0);
  for (int k = 0; k < d; ++k) factor[k * d + k] = s;
  const Problem p = problem_of(loss::Sphere{d}, constant(factor, d), {1, 0, 0});
  const auto g = verify::coordinate(0);
  const auto h = verify::levels_in_dt(p, {.batch = B}, g, T, 4, 6, 3, kTwoThreads);
  const auto m = verify::multilevel(h, 2e-4);
  CHECK(m.standard_error < 2.2e-4);
  // The bias of the last level, dt = T/128, is below 1e-4: the first order error of a step of dt = T/4 is 2e-3.
  CHECK(std::abs(m.mean - std::exp(-(d - 1) * s * s * T / (2 * B))) < 5 * m.standard_error + 1e-4);
  for (std::size_t l = 2; l < m.levels.size(); ++l)
    CHECK(m.levels[l].difference.variance() < m.levels[l - 1].difference.variance());
  MESSAGE("gain over plain Monte Carlo: " << m.gain());
  CHECK(m.gain() > 5);
}

TEST_CASE("levels in eta: the mean is that of the finest level's own runs, at a fraction of their cost") {
  const Problem p = problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1});
  const auto g = verify::coordinate(0);
  const auto a = finest(0.005, 4, 16);
  const auto h = verify::levels_in_eta(p, a, g, 0.5, 4, kTwoThreads);
  const auto m = verify::multilevel(h, 2e-3, 128);
  const auto plain = h.sample(3, 1'000'000, 2048).fine;  // paths that the levels did not use
  CHECK(std::abs(m.mean - plain.mean) < 5 * std::hypot(m.standard_error, plain.standard_error()));
  // Each level's fine part is what the next one's coarse part estimates.
  for (std::size_t l = 1; l < m.levels.size(); ++l) {
    const auto &below = m.levels[l - 1].fine, &here = m.levels[l].fine, &difference = m.levels[l].difference;
    CHECK(std::abs(here.mean - difference.mean - below.mean) <
          5 * std::sqrt(std::pow(here.standard_error(), 2) + std::pow(below.standard_error(), 2)) +
              5 * difference.standard_error());
  }
  MESSAGE("gain over plain Monte Carlo: " << m.gain());
  CHECK(m.gain() > 5);
}

TEST_CASE("levels in eta refuse what has no sums of draws") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2, 0.5});
  CHECK_THROWS_WITH_AS(verify::levels_in_eta(p, finest(0.01, 4, 16), verify::sharpness(), 0.5, 3, kTwoThreads),
                       doctest::Contains("gaussian"), std::invalid_argument);
  const Problem q = problem_of(loss::Valley{}, constant({0.5, 0, 0, 1.4}, 2), {0.8, 0});
  CHECK_THROWS_WITH_AS(verify::levels_in_eta(q, finest(0.01, 4, 6), verify::sharpness(), 0.5, 3, kTwoThreads),
                       doctest::Contains("multiple of 2^2"), std::invalid_argument);
}
