#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "cli.hpp"
#include "progress.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/bytes.hpp"
#include "session.hpp"
#include "verify_plan.hpp"
#include "verify_report.hpp"

namespace sde::cli {

namespace {

using claims::Outcome;
using claims::Report;
using claims::Setting;

struct Options {
  VerifyQuestion question;
  std::string budget = "quick", out;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "cpu";
  bool json = false, quiet = false, no_figure = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Outcome> measure(const Plan& plan, const Setting& setting, Progress& progress) {
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const auto& task = plan.tasks[i];
    progress.show(static_cast<double>(i) / static_cast<double>(plan.tasks.size()),
                  fmt::format("claim {}, {}", task.claim->number, task.on->name));
    const auto start = std::chrono::steady_clock::now();
    auto own = setting;
    own.stream = task.on->stream;
    outcomes.push_back({task, task.claim->measure(own, *task.on), 0});
    outcomes.back().seconds = seconds_since(start);
  }
  progress.clear();
  return outcomes;
}

/// quick and full are fixed amounts of work. Seconds: a pilot at 1/64 of quick says what the time allows.
std::vector<Outcome> measure_within(const std::string& budget, const Plan& plan, Setting& setting, Progress& progress) {
  if (budget == "quick") return measure(plan, setting, progress);
  if (budget == "full") {
    // A file's rates and margins are what it asks about: more paths are all that can be had.
    setting.effort = plan.experiment ? 8 : 2;
    if (!plan.experiment) setting.margin = setting.eta = 0.5;
    return measure(plan, setting, progress);
  }
  char* end = nullptr;
  const double seconds = std::strtod(budget.c_str(), &end);
  constexpr double kMost = 1e7;  // four months
  if (budget.empty() || *end != '\0' || !(seconds > 0 && seconds <= kMost))
    throw InputError(
        fmt::format("--budget {}: expected quick, full, or a number of seconds above 0 and up to {:g}", budget, kMost));
  const auto start = std::chrono::steady_clock::now();
  setting.effort = 1.0 / 64;
  auto pilot = measure(plan, setting, progress);
  const double used = seconds_since(start), left = seconds - used;
  // Ranks go by one clock.
  const auto effort = ensemble::unpacked<double>(ensemble::from_rank_0(
      setting.control.ranks, "effort", [&] { return ensemble::packed(setting.effort * left / used); }));
  if (effort < 2 * setting.effort) return pilot;
  setting.effort = effort;
  return measure(plan, setting, progress);
}

/// Of each method of a file where a claim disagrees.
std::vector<claims::TermReport> wrong_terms(const Plan& plan, const Report& report, const Setting& setting,
                                            Progress& progress) {
  std::vector<claims::TermReport> all;
  std::set<std::string> asked;
  for (const auto& task : plan.tasks) {
    const auto& c = *task.on;
    const bool disagrees = std::any_of(report.lines.begin(), report.lines.end(), [&](const auto& l) {
      return l.row.name == c.name && l.verdict == stats::name(stats::Verdict::disagrees);
    });
    if (!disagrees || c.designs.terms.H.empty() || !asked.insert(c.name).second) continue;
    progress.show(1, c.name + ": which term is wrong");
    auto own = setting;
    own.stream = c.stream;
    const auto start = std::chrono::steady_clock::now();
    all.push_back(claims::term_report(own, c));
    all.back().seconds = seconds_since(start);
  }
  progress.clear();
  return all;
}

int verify(const Options& o, ensemble::Ranks* ranks) {
  const bool leader = leads(ranks);
  Setting setting;
  setting.seed = o.seed;
  Progress progress(o.quiet || !leader);
  const auto start = std::chrono::steady_clock::now();
  Plan plan;
  std::vector<Outcome> outcomes;
  try {
    plan = plan_of(o.question, [&](const experiment::Experiment* e) {
      if (e && !alone(ranks))  // each has read its own node's file
        gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(e->source)), [](std::string&) {}).check();
      if (leader && !o.out.empty()) prepare_folder(o.out);
      setting.control = control_of(o.threads, o.device, o.quiet, ranks);
      if (e && leader)
        for (const auto& note : e->notes) fmt::print(stderr, "sde: {}\n", note);
      if (e) progress.show(0, "short runs that set the sizes");
      return setting;
    });
    if (plan.tasks.empty()) {
      if (leader)
        for (const auto& n : plan.not_measured) fmt::print(stderr, "sde: {}\n", reason(n));
      throw InputError(plan.experiment ? "verify: none of the claims asked for applies to this file"
                                       : "verify: none of the claims asked for is measured on the losses asked for");
    }
    outcomes = measure_within(o.budget, plan, setting, progress);
  } catch (const ensemble::Interrupted&) {
    progress.clear();
    if (leader) fmt::print(stderr, "sde: interrupted; no verdict was reached\n");
    return kInterrupted;
  }
  for (const auto& outcome : outcomes)
    for (const auto& x : outcome.measured.skipped)
      plan.not_measured.push_back({outcome.task.claim, outcome.task.on->name, x.quantity, x.reason});
  Run run{o.budget, setting, std::move(outcomes), 0, {}};
  const Report report = claims::judge(run.outcomes);
  try {
    run.terms = wrong_terms(plan, report, setting, progress);
  } catch (const ensemble::Interrupted&) {
    if (leader) fmt::print(stderr, "sde: interrupted: which terms are wrong was not measured\n");
  }
  if (!leader) return kDone;  // rank 0's code counts
  run.seconds = seconds_since(start);
  const auto j = to_json(run, report, plan);
  if (o.json)
    fmt::print("{}\n", j.dump(2));
  else
    print_table(run, report, plan);
  if (report.inconclusive > 0 && report.agrees + report.disagrees == 0)
    fmt::print(stderr, "sde: --budget {} is too small to decide any claim: {}\n", o.budget,
               report.suffices > 0
                   ? fmt::format("about {:.1g} gradient evaluations would suffice, {:.0f} times as many",
                                 report.suffices, std::ceil(report.suffices / report.gradients))
                   : std::string("try --budget quick"));
  if (!o.out.empty()) {
    const auto file = std::filesystem::path(o.out) / "verify.json";
    std::ofstream stream(file);
    stream << j.dump(2) << '\n';
    if (!stream.flush()) throw IoError(fmt::format("{}: could not be written", file.string()));
    const bool points =
        std::any_of(run.outcomes.begin(), run.outcomes.end(), [](const auto& x) { return !x.measured.points.empty(); });
    if (!o.no_figure && points) draw("plot_claims.py", {file.string(), "--out", o.out});
  }
  // What cannot be decided on a file is said, and no failure: its settings are not made for it.
  return report.passed(plan.experiment || (o.budget != "quick" && o.budget != "full")) ? kDone : kClaimFailed;
}

}  // namespace

Command add_verify(CLI::App& app) {
  auto* sub = app.add_subcommand("verify", "Measure the claims of the theory, with intervals and verdicts");
  auto o = std::make_shared<Options>();
  auto& q = o->question;
  sub->add_option("what", q.words,
                  "Numbers of claims (" + claim_numbers() +
                      "), or an experiment file: its own problem and discrete algorithms (with numbers: those alone)")
      ->type_name("CLAIM|FILE.toml");
  sub->add_flag("--all", q.all, "Every claim of the shipped table");
  sub->add_option("--loss", q.losses, "Only on this loss (repeatable)")->type_name("NAME")->allow_extra_args(false);
  sub->add_option("--set", q.set, "Override a key of the file, e.g. method.1.H=10; methods count from 0 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--margin", q.margins,
                  "For a file: factor of all margins, or a claim's own half-width, e.g. weak_error=0.02 (repeatable)")
      ->type_name("FACTOR|CLAIM=M")
      ->allow_extra_args(false);
  sub->add_option(
         "--budget", o->budget,
         "quick (3 minutes on two cores; a file: less than one), full (half an hour, margins and learning rates "
         "half as large; a file: 8 times the paths), or seconds")
      ->type_name("quick|full|SECONDS")
      ->capture_default_str();
  sub->add_option("--out", o->out, "Folder for verify.json and the figures")->type_name("DIR");
  sub->add_option("--seed", o->seed, "Random seed")
      ->check(whole_number(0, std::numeric_limits<long>::max()))
      ->type_name("N")
      ->capture_default_str();
  add_device_option(*sub, o->device);
  sub->add_option("--threads", o->threads,
                  "Threads (default: all cores; of several ranks on a node, a share each); same bits for any number")
      ->check(whole_number(1, kMostThreads))
      ->type_name("N");
  sub->add_flag("--json", o->json, "Print everything as JSON");
  sub->add_flag("--quiet", o->quiet, "No progress bar");
  sub->add_flag("--no-figure", o->no_figure, "Write verify.json only");
  std::string list = "Claims:\n";
  for (const auto& c : claims::all()) list += fmt::format("  {:>2}  {}\n", c.number, c.title);
  sub->footer(
      list +
      "\nExit code 0 where nothing disagrees and every wrong prediction is rejected, 1 otherwise.\n\nExamples:\n"
      "  sde verify --all --out out/verify\n  sde verify 2 4 --loss ring --budget 60\n"
      "  sde verify experiments/ring.toml\n  sde verify experiments/ring.toml 4 --set training.eta=0.01 --margin 2");
  return {sub, {}, [o](ensemble::Ranks* ranks) { return verify(*o, ranks); }};
}

}  // namespace sde::cli
