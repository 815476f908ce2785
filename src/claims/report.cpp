#include "report.hpp"

#include <algorithm>

namespace sde::claims {

namespace {
/// Gradient evaluations with which an error of `error` becomes 1/z of `room`, if it falls like their root; 0: none.
double sufficient(const Row& row, double z, double room) {
  if (!row.scales || !std::isfinite(row.judged().standard_error) || !(room > 0)) return 0;
  return row.gradients * std::pow(z * row.standard_error / room, 2);
}
}  // namespace

Report judge(const std::vector<Outcome>& outcomes) {
  Report report;
  std::vector<stats::Judged> table;
  for (const auto& o : outcomes) {
    report.gradients += o.measured.gradients;
    for (const auto& row : o.measured.rows) {
      report.lines.push_back({row, "", 1.959964 * row.standard_error, 0});
      if (!row.control) table.push_back(row.judged());
    }
  }
  const auto verdicts = stats::judge(table, kFamilyLevel);
  const double z = table.empty() ? 0 : stats::normal_quantile_tail(kFamilyLevel / static_cast<double>(table.size()));
  std::size_t next = 0;
  for (auto& line : report.lines) {
    const Row& row = line.row;
    if (row.control) {
      const bool accepted = stats::equivalence_p(row.judged()) <= kFamilyLevel;
      line.verdict = row.rejected() ? "rejected" : accepted ? "not rejected" : "inconclusive";
      ++(row.rejected() ? report.rejected : accepted ? report.not_rejected : report.undecided);
      if (!row.rejected() && !accepted)
        line.suffices = sufficient(row, 5, std::max(row.difference() - row.high, row.low - row.difference()));
      continue;
    }
    const auto verdict = verdicts[next++];
    line.verdict = stats::name(verdict);
    if (verdict == stats::Verdict::agrees) ++report.agrees;
    if (verdict == stats::Verdict::disagrees) ++report.disagrees;
    if (verdict != stats::Verdict::inconclusive) continue;
    ++report.inconclusive;
    // The nearer end of the margin has to lie z standard errors away.
    line.suffices =
        sufficient(row, z, std::min(std::abs(row.high - row.difference()), std::abs(row.difference() - row.low)));
    report.suffices += line.suffices;
  }
  return report;
}

}  // namespace sde::claims
