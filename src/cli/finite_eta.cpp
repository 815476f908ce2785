#include "finite_eta.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "pair_report.hpp"

namespace sde::cli {

namespace {

using ensemble::MethodResult;
using experiment::Experiment;

constexpr double kZ = 1.959964;  // 95%
/// Half-widths above which sampling is no explanation any more, and the relative size below which rounding may be one.
constexpr double kMany = 5, kRounding = 1e-6;
constexpr const char* kObservable = "trace_hessian";

struct Mean {
  double value, variance;
};

Mean mean_of(const MethodResult& r, std::size_t t) {
  const auto& m = r.at(t, kObservable);
  return {m.mean, r.paths == 1 ? 0 : m.variance() / m.n};
}

/// The mean at slow time `time`, on the line between the observations around it; nothing where there are none.
std::optional<Mean> at_time(const MethodResult& r, double time) {
  const auto& t = r.slow_time;
  if (t.size() < 2 || !(time >= t.front() && time <= t.back() * (1 + 1e-9))) return std::nullopt;
  const auto after = static_cast<std::size_t>(std::lower_bound(t.begin() + 1, t.end() - 1, time) - t.begin());
  const double width = t[after] - t[after - 1], part = width > 0 ? (time - t[after - 1]) / width : 1;
  const Mean a = mean_of(r, after - 1), b = mean_of(r, after);
  return Mean{a.value + part * (b.value - a.value), std::max(a.variance, b.variance)};
}

/// The difference of methods i and j on common noise.
std::optional<FiniteEta> of_pair(const Experiment& e, const experiment::PairResults& paired, std::size_t i,
                                 std::size_t j, double value) {
  for (std::size_t k = 0; k < paired.pairs.size(); ++k) {
    const auto& pair = paired.pairs[k];
    const auto found = std::find(pair.theory.begin(), pair.theory.end(), j);
    if (pair.algorithm != i || found == pair.theory.end() || paired.results[k].lost > 0) continue;
    const auto p = static_cast<std::size_t>(found - pair.theory.begin());
    const auto x = difference(pair, paired.results[k], p, last_place(pair), 0);
    return FiniteEta{e.methods[i].name, e.methods[j].name, value, x.mean, x.standard_error};
  }
  return std::nullopt;
}

std::optional<FiniteEta> of_rows(const Experiment& e, const std::vector<MethodResult>& results, std::size_t i,
                                 std::size_t j) {
  const auto own = mean_of(results[i], results[i].values.size() - 1);
  const auto other = at_time(results[j], results[i].slow_time.back());
  if (!other) return std::nullopt;
  return FiniteEta{e.methods[i].name, e.methods[j].name, own.value, own.value - other->value,
                   std::sqrt(own.variance + other->variance)};
}

}  // namespace

double FiniteEta::intervals() const { return std::abs(difference) / (kZ * standard_error); }

std::vector<FiniteEta> finite_eta_errors(const Experiment& e, const std::vector<MethodResult>& results,
                                         const experiment::PairResults& paired) {
  std::vector<FiniteEta> found;
  for (std::size_t i = 0; i < results.size(); ++i)
    for (std::size_t j = 0; j < results.size(); ++j) {
      const auto &algorithm = e.methods[i], &theory = e.methods[j];
      if (!algorithm.dynamics->is_algorithm() || !theory.dynamics->on_gamma() || algorithm.group != theory.group)
        continue;
      if (theory.factors != slow::Factors{}) continue;  // a proposal: it may be that which is wrong
      if (results[i].lost > 0 || results[j].lost > 0) continue;
      auto one = of_pair(e, paired, i, j, results[i].values.back()[results[i].index_of(kObservable)].mean);
      if (!one) one = of_rows(e, results, i, j);
      if (one && one->intervals() > kMany && std::abs(one->difference) > kRounding * std::abs(one->value))
        found.push_back(*one);
    }
  return found;
}

}  // namespace sde::cli
