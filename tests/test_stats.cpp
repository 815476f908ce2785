// Tests of hypotheses and fits against known values, and the error rates that they promise.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "sde/ensemble/parallel.hpp"
#include "sde/loss/data.hpp"
#include "sde/stats/covariance.hpp"
#include "sde/stats/equivalence.hpp"
#include "sde/stats/fit.hpp"
#include "sde/stats/moments.hpp"
#include "sde/stats/two_sample.hpp"

using namespace sde;

namespace {

stats::Covariance covariance_of(const std::vector<double>& x, const std::vector<double>& y) {
  stats::Moments mx, my, sum, difference;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mx.add(x[i]);
    my.add(y[i]);
    sum.add(x[i] + y[i]);
    difference.add(x[i] - y[i]);
  }
  return stats::covariance(mx, my, sum, difference);
}

}  // namespace

TEST_CASE("covariance from moments of sum and difference is that of the products, and so is its standard error") {
  const auto z = loss::normal_data(5, 1, 2000);
  std::vector<double> x, y;
  for (int i = 0; i < 1000; ++i) {
    x.push_back(3 + std::exp(0.5 * z[2 * i]));  // skewed, and far from 0
    y.push_back(-7 + 0.02 * z[2 * i + 1] * z[2 * i] - 0.01 * x.back());
  }
  const double n = 1000;
  double mx = 0, my = 0, vx = 0, vy = 0, c = 0, fourth = 0;
  for (int i = 0; i < n; ++i) mx += x[i] / n, my += y[i] / n;
  for (int i = 0; i < n; ++i) {
    const double dx = x[i] - mx, dy = y[i] - my;
    vx += dx * dx / (n - 1), vy += dy * dy / (n - 1), c += dx * dy / (n - 1), fourth += dx * dx * dy * dy / n;
  }
  const auto found = covariance_of(x, y);
  CHECK(found.value == doctest::Approx(c).epsilon(1e-10));
  CHECK(found.standard_error ==
        doctest::Approx(std::sqrt((fourth - (n - 2) / (n - 1) * c * c + vx * vy / (n - 1)) / n)).epsilon(1e-8));
  // Of a quantity with itself it is the variance.
  stats::Moments own;
  for (const double value : x) own.add(value);
  CHECK(covariance_of(x, x).value == doctest::Approx(own.variance()).epsilon(1e-12));
  CHECK(covariance_of(x, x).standard_error == doctest::Approx(own.variance_error()).epsilon(1e-10));
  // One that does not move has none, to the last bit; nor have less than two values.
  const auto still = covariance_of(x, std::vector<double>(1000, 0.1));
  CHECK(still.value == 0);
  CHECK(still.standard_error == 0);
  CHECK(std::isnan(covariance_of({1}, {2}).value));
}

TEST_CASE("95% intervals of a covariance hold it in 95% of samples") {
  constexpr int kSamples = 2000, kSize = 200;
  const auto z = loss::normal_data(6, 1, 2 * kSamples * kSize);
  int inside = 0;
  for (int s = 0; s < kSamples; ++s) {
    std::vector<double> x, y;
    for (int i = 0; i < kSize; ++i) {
      const double u = z[2 * (s * kSize + i)], v = z[2 * (s * kSize + i) + 1];
      x.push_back(u);
      y.push_back(0.6 * u + 0.8 * v);
    }
    const auto c = covariance_of(x, y);
    inside += std::abs(c.value - 0.6) < 1.96 * c.standard_error;
  }
  CHECK(inside > 0.925 * kSamples);
  CHECK(inside < 0.965 * kSamples);
}

TEST_CASE("moments where the mean is 10^8 times the spread, merged as paths are: the known answer") {
  // SDE_SAMPLES=2^30 for a thousand million. -1, -1, 0 and 2 in equal numbers, in an order that looks random: a
  // bijection of k bits, whose last two choose. All are exact beside 10^8.
  const char* asked = std::getenv("SDE_SAMPLES");
  int bits = 22;
  while (asked && (std::uint64_t{2} << bits) <= static_cast<std::uint64_t>(std::atof(asked))) ++bits;
  const std::uint64_t n = std::uint64_t{1} << bits, mask = n - 1;
  const auto value = [&](std::uint64_t i) {
    for (const std::uint64_t odd : {0x9E3779B97F4A7C15ull, 0xD1B54A32D192ED03ull}) {
      i = i * odd & mask;
      i ^= i >> bits / 2;
    }
    static constexpr double kValues[]{-1, -1, 0, 2};
    return 1e8 + kValues[i & 3];
  };
  stats::Moments total;
  for (std::uint64_t first = 0; first < n; first += ensemble::kGroupPaths) {
    stats::Moments group;
    for (std::uint64_t b = first; b < first + ensemble::kGroupPaths; b += ensemble::kBlockPaths) {
      stats::Moments block;
      for (std::uint64_t i = b; i < b + ensemble::kBlockPaths; ++i) block.add(value(i));
      group.merge(block);
    }
    total.merge(group);
  }
  const auto count = static_cast<double>(n);
  const double of_mean = std::abs(total.mean - 1e8) / std::sqrt(1.5 / count);
  const double of_variance = std::abs(total.variance() / (1.5 * count / (count - 1)) - 1);
  const double third = std::abs(total.m3 / count / 1.5 - 1), fourth = std::abs(total.m4 / count / 4.5 - 1);
  MESSAGE(count << " samples: the mean is off by " << of_mean << " standard errors, the variance by " << of_variance
                << ", the third and fourth moment by " << third << " and " << fourth << " of themselves");
  CHECK(total.n == count);
  CHECK(of_mean < 0.1);
  CHECK(of_variance < 1e-7);
  CHECK(third < 1e-7);
  CHECK(fourth < 1e-7);
}

TEST_CASE("normal tail and its inverse") {
  CHECK(stats::normal_tail(1.959963984540054) == doctest::Approx(0.025).epsilon(1e-12));
  CHECK(stats::normal_quantile_tail(0.025) == doctest::Approx(1.959963984540054).epsilon(1e-12));
  CHECK(stats::normal_tail(10) == doctest::Approx(7.619853024160527e-24).epsilon(1e-10));
}

TEST_CASE("two one-sided tests: the whole interval inside the margin, for both signs") {
  const double z = stats::normal_quantile_tail(0.05);
  for (const double sign : {1.0, -1.0}) {
    CHECK(stats::equivalence_p({sign * 0.3, 0.1, -0.3 - z * 0.1, 0.3 + z * 0.1}) ==
          doctest::Approx(0.05).epsilon(1e-9));
    CHECK(stats::equivalence_p({sign * 0.3, 0.1, -0.2, 0.2}) > 0.5);
    CHECK(stats::difference_p({sign * 0.3, 0.1, 0, 0}) == doctest::Approx(2 * stats::normal_tail(3)).epsilon(1e-9));
  }
  CHECK(stats::equivalence_p({0.1, 0, -0.2, 0.2}) == 0);  // an exact number
  CHECK(stats::difference_p({0.3, 0, -0.2, 0.2}) == 0);
  CHECK(stats::equivalence_p({0.5, 0.1, 0.25, INFINITY}) == doctest::Approx(stats::normal_tail(2.5)));  // one-sided
  CHECK(stats::difference_p({0.0, 0.1, 0.25, INFINITY}) == doctest::Approx(stats::normal_tail(2.5)));
}

TEST_CASE("Holm's adjusted p-values") {
  const auto p = stats::holm({0.01, 0.04, 0.03, 0.005});
  CHECK(p[3] == doctest::Approx(0.02));
  CHECK(p[0] == doctest::Approx(0.03));
  CHECK(p[2] == doctest::Approx(0.06));
  CHECK(p[1] == doctest::Approx(0.06));
}

TEST_CASE("verdicts: an interval too wide for the margin is inconclusive") {
  const auto v = stats::judge({{0.0, 0.01, -0.1, 0.1}, {0.5, 0.01, -0.1, 0.1}, {0.05, 0.2, -0.1, 0.1}});
  CHECK(v[0] == stats::Verdict::agrees);
  CHECK(v[1] == stats::Verdict::disagrees);
  CHECK(v[2] == stats::Verdict::inconclusive);
}

TEST_CASE("a table of true claims at the edge of their margins raises a false verdict in at most 5% of tables") {
  constexpr int kRows = 10, kTables = 2000;
  const auto z = loss::normal_data(11, 1, 2 * kRows * kTables);
  int false_agrees = 0, false_disagrees = 0;
  for (int t = 0; t < kTables; ++t) {
    std::vector<stats::Judged> table;
    for (int i = 0; i < kRows; ++i) table.push_back({1.0 + z[t * kRows + i], 1.0, -1.0, 1.0});
    const auto v = stats::judge(table);
    false_agrees += std::count(v.begin(), v.end(), stats::Verdict::agrees) > 0;
    false_disagrees += std::count(v.begin(), v.end(), stats::Verdict::disagrees) > 0;
  }
  const double allowed = 0.05 + 5 * std::sqrt(0.05 * 0.95 / kTables);
  CHECK(false_agrees <= allowed * kTables);
  CHECK(false_disagrees <= allowed * kTables);
}

TEST_CASE("fits: a straight line exactly, an order with its interval, 95% coverage") {
  const auto line = stats::fit_line({1, 2, 4, 5}, {3, 5, 9, 11}, {1, 2, 1, 0.5});
  CHECK(line.slope == doctest::Approx(2));
  CHECK(line.intercept == doctest::Approx(1));
  CHECK(line.chi2 == doctest::Approx(0).epsilon(1e-12));
  const auto order = stats::fit_order({0.1, 0.2, 0.4}, {0.03, 0.12, 0.48}, {1e-3, 1e-3, 1e-3});
  CHECK(order.slope == doctest::Approx(2));
  const auto z = loss::normal_data(12, 1, 5 * 2000);
  int covered = 0;
  for (int r = 0; r < 2000; ++r) {
    std::vector<double> y;
    for (int i = 0; i < 5; ++i) y.push_back(0.7 * i + 0.3 * z[5 * r + i]);
    const auto f = stats::fit_line({0, 1, 2, 3, 4}, y, std::vector<double>(5, 0.3));
    covered += std::abs(f.slope - 0.7) < 1.96 * f.slope_error;
  }
  // scatter above its expectation widens the interval, so it may only cover more than 95%
  CHECK(covered >= 2000 * (0.95 - 5 * std::sqrt(0.05 * 0.95 / 2000)));
}

TEST_CASE("a power law through points that noise makes negative: the order's interval covers in 95%") {
  const std::vector<double> eta{0.005, 0.01, 0.02, 0.04, 0.08};
  const auto z = loss::normal_data(13, 1, 5 * 1000);
  int covered = 0;
  for (int r = 0; r < 1000; ++r) {
    std::vector<double> y;
    for (int i = 0; i < 5; ++i) y.push_back(-0.5 * eta[i] + 0.004 * z[5 * r + i]);  // the smallest: 0.6 errors from 0
    const auto f = stats::fit_power(eta, y, std::vector<double>(5, 0.004));
    covered += f.low <= 1 && 1 <= f.high;
  }
  CHECK(covered >= 1000 * (0.95 - 5 * std::sqrt(0.05 * 0.95 / 1000)));
  const auto exact = stats::fit_power(eta, {0.01, 0.02, 0.04, 0.08, 0.16}, std::vector<double>(5, 1e-3));
  CHECK(exact.order == doctest::Approx(1).epsilon(1e-3));
  CHECK(exact.factor == doctest::Approx(2).epsilon(1e-2));
}

TEST_CASE("Kolmogorov-Smirnov distance: by hand, with ties") {
  CHECK(stats::ks_distance({1, 2, 3, 4}, {1, 2, 3, 4}) == doctest::Approx(0.0).scale(1));
  CHECK(stats::ks_distance({1, 2, 3}, {4, 5}) == doctest::Approx(1));
  CHECK(stats::ks_distance({1, 3}, {2, 4}) == doctest::Approx(0.5));
  CHECK(stats::ks_distance({1, 1, 2}, {1, 3, 3}) == doctest::Approx(2.0 / 3));
  CHECK(stats::ks_distance({0, 1}, {0.5, 2, 3}) == doctest::Approx(2.0 / 3));  // samples of two sizes
}

TEST_CASE("permutation tests: small p for a shift, p above the level as often as stated without one") {
  const auto normals = [](std::uint64_t seed, double shift) {
    auto x = loss::normal_data(seed, 60, 100);
    for (auto& v : x) v += shift;
    return x;
  };
  const auto points = [&](std::uint64_t seed, double shift) {
    std::vector<std::vector<double>> p;
    const auto x = normals(seed, 0), y = normals(seed + 500, shift);
    for (std::size_t i = 0; i < x.size(); ++i) p.push_back({x[i], y[i]});
    return p;
  };
  CHECK(stats::ks_test(normals(1, 0), normals(2, 1), 199, 1).p == doctest::Approx(0.005));
  CHECK(stats::energy_test(points(1, 0), points(2, 1), 199, 1).p == doctest::Approx(0.005));
  CHECK(stats::energy_test(points(1, 0), points(1, 0), 19, 1).statistic == doctest::Approx(0).scale(1));
  int ks = 0, energy = 0;
  const int repetitions = 200;
  for (int i = 0; i < repetitions; ++i) {
    const auto seed = static_cast<std::uint64_t>(1000 + 4000 * i);
    ks += stats::ks_test(normals(seed, 0), normals(seed + 1, 0), 59, seed).p <= 0.1;
    energy += stats::energy_test(points(seed, 0), points(seed + 1, 0), 59, seed).p <= 0.1;
  }
  // Exact level 0.1: 20 of 200, 5 standard deviations are 21.
  CHECK(std::abs(ks - 20) < 22);
  CHECK(std::abs(energy - 20) < 22);
}

TEST_CASE("an estimate without a finite value or error decides nothing, nor does it change another row's verdict") {
  for (const double error : {double(INFINITY), std::nan("")}) {
    const auto v = stats::judge({{0.5, error, 0, INFINITY}, {0, 0.01, -0.1, 0.1}, {-3, error, 0, INFINITY}});
    CHECK(v[0] == stats::Verdict::inconclusive);
    CHECK(v[1] == stats::Verdict::agrees);
    CHECK(v[2] == stats::Verdict::inconclusive);
  }
  CHECK(stats::judge({{std::nan(""), 0.01, -0.1, 0.1}})[0] == stats::Verdict::inconclusive);
}

TEST_CASE("agrees: the row's own 95% interval is inside the margin") {
  CHECK(stats::judge({{0.0, 1.0, -1.9, 1.9}})[0] == stats::Verdict::inconclusive);
  CHECK(stats::judge({{0.0, 1.0, -2.0, 2.0}})[0] == stats::Verdict::agrees);
}

TEST_CASE("the worst of many: outside only with Bonferroni's factor, inside with none") {
  const stats::Judged one{0.5, 0.1, -0.2, 0.2}, of_ten{0.5, 0.1, -0.2, 0.2, 10};
  CHECK(stats::difference_p(of_ten) == doctest::Approx(10 * stats::difference_p(one)));
  CHECK(stats::equivalence_p(of_ten) == stats::equivalence_p(one));
}
