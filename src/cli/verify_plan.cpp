#include "verify_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "../claims/cases.hpp"
#include "../claims/comparing.hpp"
#include "../claims/own_case.hpp"
#include "../experiment/sweep.hpp"
#include "sde/core/suggestion.hpp"
#include "sweep_cells.hpp"

namespace sde::cli {

namespace {

using claims::Claim;

/// The words apart.
struct Asked {
  std::vector<int> claims;
  std::string file;
};
Asked sort_out(const VerifyQuestion& q) {
  Asked asked;
  for (const auto& word : q.words) {
    const bool number = !word.empty() && word.size() < 6 && word.find_first_not_of("0123456789") == std::string::npos;
    if (number) {
      asked.claims.push_back(std::stoi(word));
      continue;
    }
    if (!asked.file.empty())
      throw InputError(fmt::format("verify: expected one experiment file, got '{}' and '{}'", asked.file, word));
    asked.file = word;
  }
  return asked;
}

std::vector<const Claim*> chosen_claims(const std::vector<int>& numbers) {
  std::vector<const Claim*> chosen;
  for (const auto& c : claims::all())
    if (numbers.empty() || std::find(numbers.begin(), numbers.end(), c.number) != numbers.end()) chosen.push_back(&c);
  for (const int n : numbers)
    if (std::none_of(chosen.begin(), chosen.end(), [n](const Claim* c) { return c->number == n; }))
      throw InputError(fmt::format("verify: there is no claim {} here; the claims are {}", n, claim_numbers()));
  return chosen;
}

Plan shipped_plan(const VerifyQuestion& q, const Asked& asked) {
  if (q.all == !asked.claims.empty())
    throw InputError(fmt::format("verify: expected numbers of claims, --all, or an experiment file; the claims are {}",
                                 claim_numbers()));
  for (const auto* option : {&q.set, &q.margins})
    if (!option->empty())
      throw InputError(fmt::format("{} {}: expected an experiment file beside it",
                                   option == &q.set ? "--set" : "--margin", option->front()));
  std::set<std::string> known;
  for (const auto& c : claims::all()) {
    const auto& names = claims::shipped_names(c.number);
    known.insert(names.begin(), names.end());
  }
  const auto chosen = chosen_claims(asked.claims);
  for (const auto& loss : q.losses)
    if (!known.contains(loss))
      throw InputError(fmt::format("--loss {}: is not known{}", loss, suggestion(loss, {known.begin(), known.end()})));
  Plan plan;
  for (const Claim* c : chosen) {
    const auto& names = claims::shipped_names(c->number);
    if (names.empty() && q.losses.empty()) plan.not_measured.push_back({c, "the shipped table", "", c->elsewhere});
    for (const auto& loss : q.losses.empty() ? names : q.losses) {
      if (std::find(names.begin(), names.end(), loss) != names.end())
        plan.tasks.push_back({c, claims::shipped_case(loss)});
      else
        plan.not_measured.push_back({c, loss, "", c->elsewhere});
    }
  }
  return plan;
}

/// Whether "key=value" is of a key that a run reads and the claims do not; methods that are compared are run as the
/// file says, but for their seeds.
bool unread(const std::string& assignment, bool compared) {
  static const std::set<std::string> of_run{"seed", "paths", "observations", "components", "max_lost"},
      of_method{"seed", "paths", "precision", "dt", "substeps", "integrator", "refined", "retraction"};
  const std::string key = assignment.substr(0, assignment.find('='));
  const std::string table = key.substr(0, key.find('.')), last = key.substr(key.rfind('.') + 1);
  if (compared) return (table == "experiment" || table == "training" || table == "method") && last == "seed";
  return table == "experiment" ? of_run.contains(last)
                               : (table == "training" || table == "method") && of_method.contains(last);
}

/// --set and --margin, as overrides of the file.
std::vector<std::string> overrides_of(const VerifyQuestion& q) {
  auto set = q.set;
  for (const auto& m : q.margins)
    set.push_back(m.find('=') == std::string::npos ? "verify.margin=" + m : "verify.margins." + m);
  return set;
}

void note_unread(const VerifyQuestion& q, experiment::Experiment& e) {
  for (const auto& assignment : q.set)
    if (unread(assignment, !e.comparisons.empty()))
      e.notes.push_back(
          fmt::format("--set {} has no effect on sde verify, which has sizes and a seed of its own (--budget, --seed)",
                      assignment));
}

/// Whether the file, with its overrides, says what it expects of its methods beside each other.
bool compares(const experiment::FileText& file, const std::vector<std::string>& set) {
  auto table = experiment::parse(file);
  for (const auto& o : set) experiment::assign(table, o);
  const auto* verify = table.get_as<toml::table>("verify");
  return verify && verify->contains("comparison");
}

/// The experiment to be compared, or all cells of its sweep.
claims::Compared compared(const experiment::FileText& file, const std::vector<std::string>& set, Plan& plan) {
  const auto sweep = experiment::read_sweep(file, set, {}, false);
  claims::Compared all;
  if (sweep.axes.empty()) {
    all.cells.push_back({"", 0, experiment::load(file, set)});
    plan.experiment = all.cells.front().experiment;
    return all;
  }
  const Cells cells(file, set, sweep);
  const bool along = sweep.axes.size() == 1 && sweep.axes.front().numbers();
  plan.swept = along ? sweep.axes.front().label : "cell";
  for (std::size_t k = 0; k < cells.count(); ++k)
    all.cells.push_back(
        {sweep.describe(k), along ? *sweep.axes.front().values[k].number : static_cast<double>(k + 1), cells.load(k)});
  plan.experiment = all.cells.front().experiment;
  plan.experiment->notes = cells.notes();
  plan.experiment->source = sweep.source();
  return all;
}

Plan own_plan(const VerifyQuestion& q, const Asked& asked, const AskSetting& setting) {
  if (q.all || !q.losses.empty())
    throw InputError(
        fmt::format("verify {}: expected no {} beside an experiment file", asked.file, q.all ? "--all" : "--loss"));
  const auto chosen = chosen_claims(asked.claims);
  Plan plan;
  const auto set = overrides_of(q);
  const auto text = experiment::read_text(asked.file);
  claims::OwnCases own;
  if (compares(text, set)) {
    own.cases.push_back(std::make_shared<const claims::Case>(claims::comparison_case(compared(text, set, plan))));
    note_unread(q, *plan.experiment);
    setting(&*plan.experiment);
  } else {
    plan.experiment = experiment::load(text, set);
    note_unread(q, *plan.experiment);
    own = claims::own_cases(setting(&*plan.experiment), *plan.experiment);
    if (plan.experiment->swept)
      plan.not_measured.push_back({nullptr, "[sweep]", "",
                                   "without a [verify.comparison] a verdict is of one setting: the file's own, or that "
                                   "of --set"});
  }
  for (const auto& x : own.others) plan.not_measured.push_back({nullptr, x.quantity, "", x.reason});
  for (const Claim* claim : chosen)
    for (const auto& c : own.cases) {
      const auto why = c->not_applicable.find(claim->number);
      if (why == c->not_applicable.end())
        plan.tasks.push_back({claim, c});
      else if (!asked.claims.empty() || (!c->compared && claim->number != 1 && !claims::compares(claim->number)))
        plan.not_measured.push_back({claim, c->name, "", why->second});
    }
  return plan;
}

}  // namespace

std::string claim_numbers() {
  std::string list;
  for (const auto& c : claims::all()) list += (list.empty() ? "" : ", ") + std::to_string(c.number);
  return list;
}

Plan plan_of(const VerifyQuestion& q, const AskSetting& setting) {
  const Asked asked = sort_out(q);
  if (!asked.file.empty()) return own_plan(q, asked, setting);
  Plan plan = shipped_plan(q, asked);
  if (!plan.tasks.empty()) setting(nullptr);
  return plan;
}

}  // namespace sde::cli
