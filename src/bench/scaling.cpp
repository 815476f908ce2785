#include "scaling.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "../modules/models.hpp"
#include "group.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/stats/fit.hpp"

namespace sde::bench {

namespace {

using ensemble::problem_on_gamma;

/// Least of three calls, in seconds.
template <class Go>
double seconds(Go go) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    go();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

template <class Cost>
Scaling scaling(const std::string& name, const std::string& against, std::vector<double> sizes, double fit_from,
                Cost cost) {
  Scaling s{name, against, std::move(sizes), {}, fit_from, {}, {}};
  std::vector<double> fitted, values, errors;
  for (const double n : s.sizes) {
    s.seconds.push_back(cost(n));
    if (n < fit_from) continue;
    fitted.push_back(n);
    values.push_back(s.seconds.back());
    errors.push_back(0.02 * values.back());  // equal weights; the scatter gives the slope's error
  }
  const auto line = stats::fit_order(fitted, values, errors);
  s.exponent = line.slope;
  s.half_width = 1.96 * line.slope_error;
  return s;
}

std::vector<double> powers(double from, double to, double factor) {
  std::vector<double> all;
  for (double x = from; x <= to * 1.0001; x *= factor) all.push_back(x);
  return all;
}

/// Two columns of noise whatever the dimension.
Noise two_columns(int d) {
  Noise n;
  n.rank = 2;
  n.factor = loss::normal_data(8, 1, 2 * d);
  for (double& a : n.factor) a *= 0.3 / std::sqrt(d);
  return n;
}

double slow_seconds(const ensemble::Problem& p, double paths, double count) {
  slow::Steps steps;
  steps.parameters = {.batch = 8, .workers = 8, .alpha = 0.4};
  steps.dt = 1e-4;
  steps.count = std::llround(count);
  const auto group = slow_group(p, steps, 1, Precision::full, -1);
  return seconds([&] {
    for (std::uint32_t first = 0; first < paths; first += kLanes) group->run(first, {}, nullptr);
  });
}

double discrete_seconds(const ensemble::Problem& p, int workers, std::int64_t steps) {
  discrete::Algorithm a;
  a.workers = a.batch = workers;
  a.rate.eta = 0.002;
  a.sync.H = 20;
  const auto group = discrete_group(p, a, steps, Precision::full, -1);
  return seconds([&] { group->run(0, {}, nullptr); });
}

ensemble::Problem on_sphere(int d) {
  std::vector<double> pole(static_cast<std::size_t>(d), 0.0);
  pole[0] = 1;
  return problem_on_gamma(model_of(loss::Sphere{d}), two_columns(d), pole);
}

}  // namespace

std::vector<Scaling> scalings() {
  const auto ring = problem_on_gamma(model_of(loss::Ring{0.5}), two_columns(2), {0, 1});
  const auto dimensions = powers(2, 1024, 2);
  const auto group = fmt::format("{} paths", kLanes);
  std::vector<Scaling> all;
  all.push_back(scaling("slow SDE, ring, 64 steps", "paths", powers(kLanes, kLanes * 1e5, 10), kLanes,
                        [&](double n) { return slow_seconds(ring, n, 64); }));
  all.push_back(scaling("slow SDE, ring, " + group, "steps", powers(64, 6.4e6, 10), 64,
                        [&](double n) { return slow_seconds(ring, kLanes, n); }));
  all.push_back(scaling("Local SGD, ring, " + group + ", H = 20", "workers", powers(2, 1024, 2), 2,
                        [&](double n) { return discrete_seconds(ring, static_cast<int>(n), 2000); }));
  all.push_back(scaling("Local SGD, ring, " + group + ", K = 8", "steps", powers(20, 2e6, 10), 20,
                        [&](double n) { return discrete_seconds(ring, 8, std::llround(n)); }));
  all.push_back(scaling("slow SDE, sphere, two columns of noise", "d", dimensions, 64,
                        [&](double d) { return slow_seconds(on_sphere(static_cast<int>(d)), kLanes, 4000); }));
  all.push_back(scaling("Local SGD, sphere, two columns of noise, K = 8", "d", dimensions, 64,
                        [&](double d) { return discrete_seconds(on_sphere(static_cast<int>(d)), 8, 2000); }));
  all.push_back(scaling("slow-SDE terms, diagonal network, n = 20", "d", powers(40, 10240, 2), 1280, [&](double d) {
    Noise label;
    label.sigma2 = 1;
    label.sampling = Sampling::with_replacement;
    const int p = static_cast<int>(d) / 2;
    const auto network = problem_on_gamma(model_of(loss::DiagonalNetwork(20, p, 3, 5)), label,
                                          std::vector<double>(static_cast<std::size_t>(2 * p), 0.6));
    const auto terms = network.terms();
    return seconds([&] {
      for (int i = 0; i < 100; ++i) {
        terms->compute(network.start_on_gamma.data());
        terms->contraction(slow::Term::drift, {.batch = 8, .workers = 8, .alpha = 0.4});
      }
    });
  }));
  return all;
}

}  // namespace sde::bench
