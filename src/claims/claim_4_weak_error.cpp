#include <fmt/format.h>

#include "law.hpp"
#include "sde/stats/fit.hpp"

namespace sde::claims {

namespace {

constexpr double kAlpha = 0.4;
constexpr double kEta[] = {0.08, 0.04, 0.02, 0.01, 0.005};  // a factor of 16

std::vector<verify::TestFunction> functions_of(const std::string& loss) {
  if (loss == "diagonal_network")
    return {verify::coordinate(0), verify::square(0), verify::bounded(0), verify::sharpness()};
  std::vector<verify::TestFunction> g;
  for (int k = 0; k < 2; ++k)
    for (const auto make : {verify::coordinate, verify::square, verify::bounded}) g.push_back(make(k));
  g.push_back(verify::sharpness());
  return g;
}

/// max over s of |gap|, with its time and standard error.
struct Worst {
  std::size_t time = 0;
  double gap = 0, error = 0;
};
Worst worst_time(const verify::PairedResult& r, std::size_t prediction, std::size_t q) {
  Worst w;
  for (std::size_t t = 0; t < r.slow_time.size(); ++t) {
    const auto& gap = r.gap[prediction][t][q];
    if (t == 0 || std::abs(gap.mean) > std::abs(w.gap)) w = {t, gap.mean, gap.standard_error()};
  }
  return w;
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  const auto functions = functions_of(loss);
  std::vector<verify::PairedResult> runs;
  std::vector<double> eta;
  Measured m;
  double gradients = 0, step_error = 0;
  for (std::size_t i = 0; i < std::size(kEta); ++i) {
    verify::Pairing pairing;
    pairing.algorithm = local_sgd(s, kEta[i], 4, kAlpha, 8);
    pairing.predictions = {verify::theory(pairing.algorithm), verify::refined(pairing.algorithm)};
    pairing.times = {0.25, 0.5, 0.75, 1};
    pairing.functions = functions;
    // Larger rates cost less and show more of the error: more paths where they are cheap.
    pairing.paths = s.paths(2048L << (std::size(kEta) - 1 - i));
    runs.push_back(verify::run_paired(p, pairing, s.control));
    eta.push_back(pairing.algorithm.rate.eta);
    gradients += runs.back().gradients;
  }
  // The function that is furthest off at the largest rate.
  std::size_t chosen = 0;
  double largest = -1;
  for (std::size_t q = 0; q < functions.size(); ++q) {
    const double off = std::abs(worst_time(runs[0], 0, q).gap);
    if (off > largest) largest = off, chosen = q;
  }
  const auto series = [&](std::size_t prediction, const std::string& name) {
    std::vector<double> gap, error;
    const auto at = worst_time(runs[0], prediction, chosen).time;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto& g = runs[i].gap[prediction][at][chosen];
      gap.push_back(g.mean);
      error.push_back(g.standard_error());
      m.points.push_back({fmt::format("{}: {}", loss, name), eta[i], std::abs(g.mean), g.standard_error()});
      step_error = std::max(step_error, std::abs(runs[i].step_error[prediction][at][chosen].mean));
    }
    return stats::fit_power(eta, gap, error);
  };
  const auto limit = series(0, "slow SDE"), refined = series(1, "refined");
  Row row;
  row.claim = 4;
  row.loss = loss;
  row.quantity = fmt::format("order of the weak error in eta, worst g = {}", functions[chosen].name);
  row.measured = limit.order;
  row.predicted = 0.25;
  row.standard_error = std::max(limit.high - limit.order, limit.order - limit.low) / 1.959964;
  row.low = 0;  // at least as fast as the theorem
  row.high = kInfinity;
  row.step_error = step_error;
  row.gradients = gradients;
  m.rows.push_back(row);

  // The gain is against plain Monte Carlo with the algorithm alone (its slow SDE taken as known).
  const std::size_t last = runs.back().slow_time.size() - 1;
  m.notes.push_back(fmt::format(
      "{}: at eta = {} the common noise and the martingale control reach the same interval with {:.0f} times fewer "
      "gradient evaluations than plain Monte Carlo (g = {})",
      loss, eta.back(), runs.back().algorithm[last][chosen].variance() / runs.back().gap[0][last][chosen].variance(),
      functions[chosen].name));

  // The bound itself, over all s and g at the smallest rate.
  const double count = static_cast<double>(functions.size() * runs.back().slow_time.size());
  const double z = stats::normal_quantile_tail(0.025 / count);
  double most = 0, bound = 0;
  for (std::size_t q = 0; q < functions.size(); ++q) {
    const auto w = worst_time(runs.back(), 0, q);
    most = std::max(most, std::abs(w.gap));
    bound = std::max(bound, std::abs(w.gap) + z * w.error);
  }
  m.notes.push_back(fmt::format(
      "{}: at eta = {} the largest |E g(Phi(avg)) - E g(zeta)| over {} times and {} functions is {:.2g}, below {:.2g} "
      "with 95% confidence (simultaneous)",
      loss, eta.back(), runs.back().slow_time.size(), functions.size(), most, bound));
  const auto a = worst_time(runs[0], 0, chosen), b = worst_time(runs[0], 1, chosen);
  m.notes.push_back(fmt::format(
      "{}: refinement of section 6 at eta = {}: error {:.2g} +- {:.1g} against {:.2g} +- {:.1g} of the limit; order "
      "{:.2f} [{:.2f}, {:.2f}] against {:.2f} [{:.2f}, {:.2f}]",
      loss, eta[0], std::abs(b.gap), 1.96 * b.error, std::abs(a.gap), 1.96 * a.error, refined.order, refined.low,
      refined.high, limit.order, limit.low, limit.high));
  if (p.noise.rank > 0) compare_laws(s, 4, loss, p, m);  // label noise: zeta is not random
  return m;
}

}  // namespace

Claim weak_error() {
  return {4,
          "Weak error: max over s of |E g(Phi(avg_s)) - E g(zeta)| falls at least like eta^(1/4)",
          "theorem of section 3, first part",
          "fitted order at five learning rates over a factor of 16, alpha = 0.4, K = 4, up to slow time 1, of the test "
          "function (coordinates, squares, tanh, tr Hess) that is furthest off; the law of x1 at slow time 2",
          "order at least 1/4 (one-sided); KS distance 0.1",
          {"valley", "hyperbola", "ring", "diagonal_network"},
          "the experiment of the theorem is made on four losses",
          measure};
}

}  // namespace sde::claims
