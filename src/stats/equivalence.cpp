#include "sde/stats/equivalence.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sde::stats {

double normal_tail(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

double normal_quantile_tail(double p) { return std::numbers::sqrt2 * boost::math::erfc_inv(2 * p); }

namespace {
/// An estimate without a finite value or error decides nothing.
bool known(const Judged& j) { return std::isfinite(j.difference) && std::isfinite(j.standard_error); }

/// z-score of `distance`; an exact estimate (standard error 0) is certain.
double score(double distance, double standard_error) {
  if (standard_error > 0) return distance / standard_error;
  return distance > 0 ? INFINITY : -INFINITY;
}
}  // namespace

double equivalence_p(const Judged& j) {
  if (!known(j)) return 1;
  return std::max(normal_tail(score(j.high - j.difference, j.standard_error)),
                  normal_tail(score(j.difference - j.low, j.standard_error)));
}

double difference_p(const Judged& j) {
  if (!known(j)) return 1;
  const double out = std::max(j.difference - j.high, j.low - j.difference);
  if (j.standard_error == 0) return out > 0 ? 0 : 1;
  // Least favourable: the truth at the nearer end of the margin. The other tail is beyond the far end.
  const double near = normal_tail(out / j.standard_error);
  const double far = normal_tail((out + (j.high - j.low)) / j.standard_error);
  return std::min(1.0, j.of * (near + far));
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double running = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    running = std::max(running, static_cast<double>(p.size() - i) * p[order[i]]);
    adjusted[order[i]] = std::min(1.0, running);
  }
  return adjusted;
}

std::string name(Verdict v) {
  return v == Verdict::agrees ? "agrees" : v == Verdict::disagrees ? "disagrees" : "inconclusive";
}

std::vector<Verdict> judge(const std::vector<Judged>& table, double level) {
  std::vector<double> same, different;
  for (const auto& row : table) {
    same.push_back(equivalence_p(row));
    different.push_back(difference_p(row));
  }
  same = holm(same);
  different = holm(different);
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < table.size(); ++i)
    // The row's own two-sided interval of 1 - level has to lie inside, too.
    verdicts.push_back(same[i] <= level && equivalence_p(table[i]) <= level / 2 ? Verdict::agrees
                       : different[i] <= level                                  ? Verdict::disagrees
                                                                                : Verdict::inconclusive);
  return verdicts;
}

}  // namespace sde::stats
