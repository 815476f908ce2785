#include "verify_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sde::cli {

using claims::Claim;
using claims::Report;

namespace {

std::string margin_of(const claims::Row& r) {
  if (r.high == claims::kInfinity) return fmt::format(">= {:.4g}", r.predicted + r.low);
  if (r.low == -claims::kInfinity) return fmt::format("<= {:.4g}", r.predicted + r.high);
  if (r.high == -r.low) return fmt::format("+- {:.2g}", r.high);
  return fmt::format("in [{:.4g}, {:.4g}]", r.predicted + r.low, r.predicted + r.high);
}

}  // namespace

void print_table(const Run& run, const Report& report, const Plan& plan) {
  const Claim* shown = nullptr;
  for (const auto& o : run.outcomes) {
    if (o.task.claim != shown)
      fmt::print("claim {}: {}\n         margin {}{}\n", o.task.claim->number, o.task.claim->title,
                 o.task.claim->margin, run.setting.margin == 1 ? "" : fmt::format(", times {}", run.setting.margin));
    shown = o.task.claim;
  }
  fmt::print("\n");
  std::size_t width = 8;
  for (const auto& l : report.lines) width = std::max(width, l.row.quantity.size());
  std::size_t loss_width = 4;
  for (const auto& l : report.lines) loss_width = std::max(loss_width, l.row.loss.size());
  fmt::print("{:>5}  {:<{}}  {:<{}}  {:>11} {:>10}  {:>11}  {:<12} {:>9}  {:<12} {:>9}\n", "claim", "loss", loss_width,
             "quantity", width, "measured", "95% +-", "predicted", "margin", "dt error", "verdict", "gradients");
  int claim = 0;
  for (const auto& l : report.lines) {
    const auto& r = l.row;
    if (r.claim != claim) fmt::print("\n");
    claim = r.claim;
    fmt::print("{:>5}  {:<{}}  {:<{}}  {:>11.5g} {:>10.2g}  {:>11.5g}  {:<12} {:>9.1g}  {:<12} {:>9.2g}{}\n", r.claim,
               r.loss, loss_width, r.quantity, width, r.measured, l.half_width, r.predicted, margin_of(r), r.step_error,
               l.verdict, r.gradients,
               (r.of > 1 ? fmt::format("  worst of {}", r.of) : "") +
                   (l.suffices > 0 ? fmt::format("  about {:.1g} gradients would decide", l.suffices) : ""));
  }
  fmt::print("\n");
  for (const auto& t : plan.not_applicable)
    fmt::print("claim {} does not apply to {}: {}\n", t.claim->number, t.loss,
               t.claim->elsewhere.empty() ? "it has no case there" : t.claim->elsewhere);
  for (const auto& o : run.outcomes)
    for (const auto& note : o.measured.notes) fmt::print("claim {}: {}\n", o.task.claim->number, note);
  fmt::print(
      "\n{} agree, {} disagree, {} inconclusive; {} of {} wrong predictions rejected at 5 standard errors, {} "
      "undecided\n"
      "family-wise error over the table: {} for any false \"agrees\", {} for any false \"disagrees\" (Holm)\n"
      "measured - predicted is the theory's error at finite eta; +- is Monte Carlo; dt error is the SDE integrator's, "
      "already removed\n",
      report.agrees, report.disagrees, report.inconclusive, report.rejected, report.controls(), report.undecided,
      claims::kFamilyLevel, claims::kFamilyLevel);
  fmt::print("seed {}, {:.3g} gradient evaluations, {:.0f} s\n", run.setting.seed, report.gradients, run.seconds);
}

namespace {
nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(nullptr); }

}  // namespace

nlohmann::json to_json(const Run& run, const Report& report, const Plan& plan) {
  nlohmann::json j{{"budget", run.budget},
                   {"seed", run.setting.seed},
                   {"effort", run.setting.effort},
                   {"margin_factor", run.setting.margin},
                   {"eta_factor", run.setting.eta},
                   {"family_level", claims::kFamilyLevel},
                   {"gradients", report.gradients},
                   {"seconds", run.seconds},
                   {"agrees", report.agrees},
                   {"disagrees", report.disagrees},
                   {"inconclusive", report.inconclusive},
                   {"controls_rejected", report.rejected},
                   {"controls_not_rejected", report.not_rejected},
                   {"controls_undecided", report.undecided},
                   {"claims", nlohmann::json::array()},
                   {"rows", nlohmann::json::array()},
                   {"not_applicable", nlohmann::json::array()}};
  const Claim* last = nullptr;
  for (const auto& o : run.outcomes) {
    if (o.task.claim != last) {
      last = o.task.claim;
      j["claims"].push_back({{"claim", last->number},
                             {"title", last->title},
                             {"source", last->source},
                             {"measured", last->measured},
                             {"margin", last->margin},
                             {"points", nlohmann::json::array()},
                             {"notes", nlohmann::json::array()},
                             {"seconds", 0.0}});
    }
    auto& c = j["claims"].back();
    c["seconds"] = c["seconds"].get<double>() + o.seconds;
    for (const auto& p : o.measured.points)
      c["points"].push_back({{"series", p.series}, {"x", p.x}, {"y", p.y}, {"standard_error", p.error}});
    for (const auto& note : o.measured.notes) c["notes"].push_back(note);
  }
  for (const auto& l : report.lines)
    j["rows"].push_back({{"claim", l.row.claim},
                         {"loss", l.row.loss},
                         {"quantity", l.row.quantity},
                         {"measured", l.row.measured},
                         {"interval", {l.row.measured - l.half_width, l.row.measured + l.half_width}},
                         {"standard_error", l.row.standard_error},
                         {"predicted", l.row.predicted},
                         {"margin", {number(l.row.low), number(l.row.high)}},
                         {"time_step_error", l.row.step_error},
                         {"worst_of", l.row.of},
                         {"control", l.row.control},
                         {"verdict", l.verdict},
                         {"gradients", l.row.gradients},
                         {"gradients_that_suffice", l.suffices}});
  for (const auto& t : plan.not_applicable)
    j["not_applicable"].push_back({{"claim", t.claim->number}, {"loss", t.loss}, {"reason", t.claim->elsewhere}});
  return j;
}

}  // namespace sde::cli
