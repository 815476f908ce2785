// Are the intervals and the verdicts honest? A table of claims whose truth is known exactly is measured again and again
// with new seeds: 95% intervals must cover in 93.5% to 96.5% of the repetitions, and the table as a whole must raise a
// false "disagrees" in at most 5%, here in the least favourable case, a margin of width zero.
//
// Truths: on the sphere E zeta_1 = exp(-(d-1) s^2 t/(2B)) and E zeta_1^2 = 1/d + (1 - 1/d) exp(-d s^2 t/B)
// (theory.md section 7); by symmetry the coordinates x2, x3 of Local SGD and of its slow SDE have the same mean; on the
// flat loss Phi(avg) has mean zero and variance Sigma_par t/B exactly, at any eta, so twice the batch halves it. The
// fitted order is that of synthetic points y = x^(1/4) with normal errors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "../src/modules/models.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/stats/equivalence.hpp"
#include "sde/stats/fit.hpp"
#include "sde/verify/paired.hpp"

namespace {

using namespace sde;
using verify::Vector;

constexpr int kDim = 3, kBatch = 4;
constexpr double kSpread = 0.9;

/// Constant noise of the factor A, rank columns.
Noise constant(std::vector<double> factor, int rank) {
  Noise n;
  n.factor = std::move(factor);
  n.rank = rank;
  return n;
}

struct Truth {
  const char* name;
  double estimate, error, value;
  bool wide = false;  ///< wider than 95% by design: the fit allows for points that scatter more than their errors
};

class Table {
 public:
  Table()
      : sphere_(ensemble::problem_on_gamma(model_of(loss::Sphere{kDim}),
                                           constant({kSpread, 0, 0, 0, kSpread, 0, 0, 0, kSpread}, kDim), {1, 0, 0})),
        flat_(ensemble::problem_on_gamma(model_of(loss::Flat(2, 4, 3)), constant(loss::normal_data(8, 1, 16), 4),
                                         {0, 0, 0, 0})) {}

  std::vector<Truth> measure(std::uint64_t seed) const {
    std::vector<Truth> rows;
    auto pairing = pairing_of(seed);
    pairing.functions = {verify::coordinate(0), verify::square(0), verify::coordinate(1), verify::coordinate(2)};
    const auto r = verify::run_paired(sphere_, pairing, {});
    const double t = r.slow_time.back(), s2 = kSpread * kSpread;
    const auto add = [&](const char* name, const stats::Moments& m, double truth) {
      rows.push_back({name, m.mean, m.standard_error(), truth});
    };
    add("sphere: E x1 of the slow SDE, martingale control", r.drift[0].back()[0],
        std::exp(-(kDim - 1) * s2 * t / (2 * kBatch)) - 1);
    add("sphere: E x1^2 of the slow SDE, plain", r.prediction[0].back()[1],
        1.0 / kDim + (1 - 1.0 / kDim) * std::exp(-kDim * s2 * t / kBatch));
    add("sphere: x2 of Local SGD minus slow SDE, common noise", r.gap[0].back()[2], 0);
    add("sphere: x3 of Local SGD minus slow SDE, common noise", r.gap[0].back()[3], 0);

    auto on_flat = pairing_of(seed + (1ull << 40));
    const auto terms = flat_.terms();
    terms->compute(flat_.start.data());
    const slow::Matrix A = terms->tangent_noise();
    const Vector u = A.col(0).normalized();
    on_flat.functions = {{.name = "u.x", .u = u, .centre = flat_.start},
                         {.name = "(u.x)^2", .u = u, .w = u, .centre = flat_.start}};
    const auto f = verify::run_paired(flat_, on_flat, {});
    add("flat: mean of Local SGD, plain", f.algorithm.back()[0], 0);
    add("flat: variance of Local SGD, plain", f.algorithm.back()[1],
        (A.transpose() * u).squaredNorm() * f.slow_time.back() / kBatch);
    auto twice = on_flat;
    twice.algorithm.seed += 1ull << 40;
    twice.algorithm.batch *= 2;
    twice.predictions = {verify::theory(twice.algorithm)};
    const auto g = verify::run_paired(flat_, twice, {});
    const auto &a = f.algorithm.back()[1], &b = g.algorithm.back()[1];
    rows.push_back({"flat: ratio of two variances", b.mean / a.mean,
                    b.mean / a.mean * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean), 0.5});

    const auto z = loss::normal_data(seed, 77, 5);
    std::vector<double> x{0.08, 0.04, 0.02, 0.01, 0.005}, y, e;
    for (std::size_t i = 0; i < x.size(); ++i) {
      e.push_back(0.02);
      y.push_back(std::pow(x[i], 0.25) + e[i] * z[i]);
    }
    const auto fit = stats::fit_power(x, y, e);
    rows.push_back({"order of synthetic points", fit.order,
                    (fit.order > 0.25 ? fit.order - fit.low : fit.high - fit.order) / 1.959964, 0.25, true});
    return rows;
  }

 private:
  static verify::Pairing pairing_of(std::uint64_t seed) {
    verify::Pairing p;
    p.algorithm.workers = 4;
    p.algorithm.batch = kBatch;
    p.algorithm.seed = seed;
    p.algorithm.rate.eta = 0.02;
    p.algorithm.sync.H = 10;
    p.predictions = {verify::theory(p.algorithm)};
    p.times = {0.2};
    p.paths = 512;
    return p;
  }
  ensemble::Problem sphere_, flat_;
};

}  // namespace

namespace {
bool any(const std::vector<stats::Verdict>& verdicts, stats::Verdict v) {
  return std::find(verdicts.begin(), verdicts.end(), v) != verdicts.end();
}
}  // namespace

int main(int argc, char** argv) {
  const long repetitions = argc > 1 ? std::atol(argv[1]) : 1000;
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const Table table;
  std::vector<const char*> names;
  std::vector<long> covered;
  std::vector<bool> wide;
  long false_disagrees = 0, false_agrees = 0;
  ensemble::parallel_ordered(
      0, repetitions, threads, [&](long i) { return table.measure(static_cast<std::uint64_t>(i) + 1); },
      [&](long, const std::vector<Truth>& rows) {
        std::vector<stats::Judged> judged, at_edge;
        covered.resize(rows.size());
        names.clear();
        wide.clear();
        for (std::size_t k = 0; k < rows.size(); ++k) {
          const double off = rows[k].estimate - rows[k].value, error = rows[k].error;
          covered[k] += std::abs(off) <= 1.959964 * error;
          judged.push_back({off, error, 0, 0});
          at_edge.push_back({off + 4 * error, error, -4 * error, 4 * error});
          names.push_back(rows[k].name);
          wide.push_back(rows[k].wide);
        }
        false_disagrees += any(stats::judge(judged), stats::Verdict::disagrees);
        false_agrees += any(stats::judge(at_edge), stats::Verdict::agrees);
      });
  const double n = static_cast<double>(repetitions);
  const auto spread = [n](double share) { return 196 * std::sqrt(share * (1 - share) / n); };
  fmt::print("{} repetitions of a table of {} rows, 512 paths each\n", repetitions, names.size());
  // 93.5% to 96.5% are 95% +- 2.2 standard errors of 1,000 repetitions; fewer get the same share of theirs.
  const double allowed = 0.015 * std::max(1.0, std::sqrt(1000 / n));
  bool good = true;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const double share = static_cast<double>(covered[k]) / n;
    good = good && share - 0.95 >= -allowed && (wide[k] || share - 0.95 <= allowed);
    fmt::print("  {:<55} 95% interval covers in {:.1f}% +- {:.1f}%\n", names[k], 100 * share, spread(share));
  }
  const double disagrees = static_cast<double>(false_disagrees) / n, agrees = static_cast<double>(false_agrees) / n;
  fmt::print(
      "tables with a false \"disagrees\", every truth at a margin of width zero: {:.1f}% +- {:.1f}%\n"
      "tables with a false \"agrees\", every truth at the edge of its margin:   {:.1f}% +- {:.1f}%\n",
      100 * disagrees, spread(disagrees), 100 * agrees, spread(agrees));
  good = good && disagrees <= 0.035 + allowed && agrees <= 0.035 + allowed;
  fmt::print("{}\n", good ? "calibrated" : "NOT calibrated");
  return good ? 0 : 1;
}
