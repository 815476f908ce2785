#include "verify_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "json_number.hpp"

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

std::vector<std::string> reasons(const std::vector<NotMeasured>& all) {
  // What is said for one reason of several claims or names is one line.
  struct Line {
    std::vector<int> claims;
    std::vector<std::string> names;
    std::string quantity, reason;
  };
  std::vector<Line> lines;
  for (const auto& n : all) {
    const int claim = n.claim ? n.claim->number : 0;
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& l) {
      return l.claims.front() == claim && l.quantity == n.quantity && l.reason == n.reason;
    });
    if (same == lines.end())
      lines.push_back({{claim}, {n.name}, n.quantity, n.reason});
    else
      same->names.push_back(n.name);
  }
  // Claims that say the same of the same names.
  std::vector<Line> joined;
  for (const auto& l : lines) {
    const auto same = std::find_if(joined.begin(), joined.end(), [&](const Line& j) {
      return l.claims.front() > 0 && j.claims.front() > 0 && j.names == l.names && j.quantity == l.quantity &&
             j.reason == l.reason;
    });
    if (same == joined.end())
      joined.push_back(l);
    else
      same->claims.push_back(l.claims.front());
  }
  std::vector<std::string> texts;
  for (const auto& l : joined) {
    std::string text = fmt::format("{}", fmt::join(l.names, "; "));
    if (l.claims.front() > 0)
      text = fmt::format("claim{} {} on {}", l.claims.size() > 1 ? "s" : "", fmt::join(l.claims, ", "), text);
    const bool says = l.reason.starts_with("not ");  // the shipped table's reasons say which of both it is
    texts.push_back(text + ", " +
                    (!l.quantity.empty() ? fmt::format("{}: not applicable, {}", l.quantity, l.reason)
                     : l.reason.empty()  ? "not measured: no case is set up there"
                     : says              ? l.reason
                                         : "not applicable: " + l.reason));
  }
  return texts;
}

namespace {

std::string with_interval(double value, double error) {
  return std::isfinite(error) ? fmt::format("{:.4g} +- {:.2g}", value, 1.959964 * error)
                              : std::string("not told apart");
}

/// Which term a proposed slow SDE would have to change.
void print_terms(const claims::TermReport& r) {
  fmt::print(
      "\nWhere is the slow SDE of {} wrong? Phi's increments regressed on the terms along {} paths, as multiples of "
      "the\n"
      "theory's terms, 95% intervals; wrong: outside +- {:.2g} of what the slow SDE has (all terms at once)\n"
      "{:>24}  {:>10}  {:>20}  {:>20}\n",
      r.method, r.paths, r.margin, "term", "it has", "measured", "alone would have to be");
  std::vector<std::string> wrong;
  for (const auto& f : r.factors) {
    if (!f.present) continue;
    if (r.wrong(f))
      wrong.push_back(fmt::format("{} (has {:.4g}, measured {})", f.name, f.has, with_interval(f.value, f.error)));
    fmt::print("{:>24}  {:>10.4g}  {:>20}  {:>20}{}\n", f.name, f.has, with_interval(f.value, f.error),
               with_interval(f.alone, f.alone_error), r.wrong(f) ? "  wrong" : "");
  }
  if (wrong.empty())
    fmt::print("no term is told to be wrong by itself: at this eta the difference may be the theory's own error\n");
  else
    fmt::print("wrong: {}\n", fmt::join(wrong, "; "));
}

}  // namespace

void print_table(const Run& run, const Report& report, const Plan& plan) {
  const auto& setting = run.setting;
  const Claim* shown = nullptr;
  if (plan.experiment)
    fmt::print("{}\n{} | its own problem and algorithms | {}\n\n", plan.experiment->title, plan.experiment->loss_name,
               plan.swept.empty() ? fmt::format("slow time {}", plan.experiment->observation.times.back())
                                  : "every cell of its sweep");
  for (const auto& o : run.outcomes) {
    if (o.task.claim != shown && plan.experiment)
      fmt::print("claim {}: {}\n", o.task.claim->number, o.task.claim->title);
    else if (o.task.claim != shown)
      fmt::print("claim {}: {}\n         margin {}{}{}\n", o.task.claim->number, o.task.claim->title,
                 o.task.claim->margin, setting.margin == 1 ? "" : fmt::format(", times {}", setting.margin),
                 setting.eta == 1 ? "" : fmt::format(", at {} times the learning rates", setting.eta));
    shown = o.task.claim;
  }
  std::size_t width = 8, name_width = 4;
  for (const auto& l : report.lines) {
    width = std::max(width, l.row.quantity.size());
    name_width = std::max(name_width, l.row.name.size());
  }
  fmt::print("\n{:>5}  {:<{}}  {:<{}}  {:>10}  {:>10}  {:>10} {:>8}  {:>8}  {:<13} {:<12} {:>9}\n", "claim",
             plan.experiment ? "method" : "loss", name_width, "quantity", width, "measured", "predicted", "difference",
             "95% +-", "dt error", "margin", "verdict", "gradients");
  int claim = 0;
  for (const auto& l : report.lines) {
    const auto& r = l.row;
    if (r.claim != claim) fmt::print("\n");
    claim = r.claim;
    std::string more;
    if (r.of > 1 && r.scales) more += fmt::format("  worst of {}", r.of);
    if (r.lost > 0) more += fmt::format("  {:.2g}% of the paths lost", 100 * r.lost);
    if (l.suffices > 0) more += fmt::format("  about {:.1g} gradients would decide", l.suffices);
    fmt::print("{:>5}  {:<{}}  {:<{}}  {:>10.5g}  {:>10.5g}  {:>10.2g} {:>8.2g}  {:>8}  {:<13} {:<12} {:>9.2g}{}\n",
               r.claim, r.name, name_width, r.quantity, width, r.measured, r.predicted, r.difference(), l.half_width,
               std::isnan(r.step_error) ? "" : fmt::format("{:.1g}", r.step_error), margin_of(r), l.verdict,
               r.gradients, more);
  }
  fmt::print("\n");
  for (const auto& text : reasons(plan.not_measured)) fmt::print("{}\n", text);
  for (const auto& o : run.outcomes)
    for (const auto& note : o.measured.notes) fmt::print("claim {}: {}\n", o.task.claim->number, note);
  fmt::print(
      "\n{} agree, {} disagree, {} inconclusive; {} of {} wrong predictions rejected at 5 standard errors, {} "
      "undecided\n"
      "family-wise error over the claims: {} for any false \"agrees\", {} for any false \"disagrees\" (Holm)\n"
      "difference: measured - predicted, which is the theory's error at finite eta; +-: Monte Carlo; dt error: what "
      "the\n"
      "extrapolation in the SDE's time step removed (what it leaves is of second order), blank where there is none\n",
      report.agrees, report.disagrees, report.inconclusive, report.rejected, report.controls(), report.undecided,
      claims::kFamilyLevel, claims::kFamilyLevel);
  for (const auto& terms : run.terms) print_terms(terms);
  fmt::print("seed {}, {:.3g} gradient evaluations, {:.0f} s\n", setting.seed, report.gradients, run.seconds);
}

namespace {
nlohmann::json row_json(const claims::Row& r) {
  const double half = 1.959964 * r.standard_error;
  return {{"claim", r.claim},
          {"loss", r.name},
          {"quantity", r.quantity},
          {"measured", number(r.measured)},
          {"predicted", number(r.predicted)},
          {"difference", number(r.difference())},
          {"difference_interval", {number(r.difference() - half), number(r.difference() + half)}},
          {"standard_error", number(r.standard_error)},
          {"margin", {number(r.low), number(r.high)}},
          {"time_step_error", number(r.step_error)},
          {"lost", r.lost},
          {"worst_of", r.of},
          {"control", r.control},
          {"gradients", r.gradients}};
}

}  // namespace

namespace {
nlohmann::json terms_json(const claims::TermReport& r) {
  nlohmann::json j{{"method", r.method},       {"margin", r.margin},   {"paths", r.paths},
                   {"gradients", r.gradients}, {"seconds", r.seconds}, {"terms", nlohmann::json::array()}};
  for (const auto& f : r.factors)
    if (f.present)
      j["terms"].push_back({{"term", f.name},
                            {"has", f.has},
                            {"measured", number(f.value)},
                            {"standard_error", number(f.error)},
                            {"alone", number(f.alone)},
                            {"alone_standard_error", number(f.alone_error)},
                            {"wrong", r.wrong(f)}});
  return j;
}

/// A file's cases are its methods.
void of_experiment(nlohmann::json& j, const experiment::Experiment& e) {
  j["experiment"] = {{"name", e.name}, {"title", e.title}, {"loss", e.loss_name}, {"source", e.source}};
  for (const char* table : {"rows", "cells", "not_measured"})
    for (auto& row : j[table]) {
      row["method"] = row["loss"];
      row["loss"] = e.loss_name;
    }
}
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
                   {"cells", nlohmann::json::array()},
                   {"not_measured", nlohmann::json::array()}};
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
  for (const auto& l : report.lines) {
    j["rows"].push_back(row_json(l.row));
    j["rows"].back()["verdict"] = l.verdict;
    j["rows"].back()["gradients_that_suffice"] = l.suffices;
  }
  for (const auto& o : run.outcomes)
    for (const auto& cell : o.measured.cells) j["cells"].push_back(row_json(cell));
  for (const auto& n : plan.not_measured) {
    j["not_measured"].push_back({{"loss", n.name}, {"reason", n.reason}});
    if (n.claim) j["not_measured"].back()["claim"] = n.claim->number;
    if (!n.quantity.empty()) j["not_measured"].back()["quantity"] = n.quantity;
  }
  j["wrong_terms"] = nlohmann::json::array();
  for (const auto& terms : run.terms) j["wrong_terms"].push_back(terms_json(terms));
  if (plan.experiment) of_experiment(j, *plan.experiment);
  if (!plan.swept.empty()) j["experiment"]["swept"] = plan.swept;
  return j;
}

}  // namespace sde::cli
