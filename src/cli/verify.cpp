#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "../experiment/error.hpp"
#include "cli.hpp"
#include "progress.hpp"
#include "sde/ensemble/bytes.hpp"
#include "session.hpp"
#include "verify_report.hpp"

namespace sde::cli {

namespace {

using claims::Claim;
using claims::Outcome;
using claims::Report;
using claims::Setting;
using claims::Task;

struct Options {
  std::vector<int> claims;
  std::vector<std::string> losses;
  std::string budget = "quick", out;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "cpu";
  bool all = false, json = false, quiet = false, no_figure = false;
};

std::string numbers() {
  std::string list;
  for (const auto& c : claims::all()) list += (list.empty() ? "" : ", ") + std::to_string(c.number);
  return list;
}

Plan plan_of(const Options& o) {
  if (o.all == !o.claims.empty())
    throw InputError(fmt::format("verify: expected numbers of claims or --all; the claims are {}", numbers()));
  std::set<std::string> known;
  std::vector<const Claim*> chosen;
  for (const auto& c : claims::all()) {
    known.insert(c.losses.begin(), c.losses.end());
    if (o.all || std::find(o.claims.begin(), o.claims.end(), c.number) != o.claims.end()) chosen.push_back(&c);
  }
  for (const int n : o.claims)
    if (std::none_of(chosen.begin(), chosen.end(), [n](const Claim* c) { return c->number == n; }))
      throw InputError(
          fmt::format("verify: there is no claim {} here; the claims are {}{}", n, numbers(),
                      n >= 10 && n <= 12 ? " (10 to 12 are about generalization, which needs a test set)" : ""));
  for (const auto& loss : o.losses)
    if (!known.contains(loss))
      throw InputError(fmt::format("--loss {}: expected one of {}", loss, fmt::join(known, ", ")));
  Plan plan;
  for (const Claim* c : chosen) {
    for (const auto& loss : o.losses.empty() ? c->losses : o.losses) {
      const bool applies = std::find(c->losses.begin(), c->losses.end(), loss) != c->losses.end();
      (applies ? plan.tasks : plan.not_measured).push_back({c, loss});
    }
  }
  return plan;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Outcome> measure(const Plan& plan, const Setting& setting, Progress& progress) {
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const auto& task = plan.tasks[i];
    progress.show(static_cast<double>(i) / static_cast<double>(plan.tasks.size()),
                  fmt::format("claim {}, {}", task.claim->number, task.loss));
    const auto start = std::chrono::steady_clock::now();
    outcomes.push_back({task, task.claim->measure(setting, task.loss), 0});
    outcomes.back().seconds = seconds_since(start);
  }
  progress.clear();
  return outcomes;
}

/// quick and full are fixed amounts of work. Seconds: a pilot at 1/64 of quick says what the time allows.
std::vector<Outcome> measure_within(const std::string& budget, const Plan& plan, Setting& setting, Progress& progress) {
  if (budget == "quick") return measure(plan, setting, progress);
  if (budget == "full") {
    setting.effort = 2;
    setting.margin = setting.eta = 0.5;
    return measure(plan, setting, progress);
  }
  char* end = nullptr;
  const double seconds = std::strtod(budget.c_str(), &end);
  if (budget.empty() || *end != '\0' || !(seconds > 0))
    throw InputError(fmt::format("--budget {}: expected quick, full, or a number of seconds above 0", budget));
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

int verify(const Options& o, ensemble::Ranks* ranks) {
  const Plan plan = plan_of(o);
  const bool leader = leads(ranks);
  if (plan.tasks.empty()) {
    if (leader)
      for (const auto& t : plan.not_measured) fmt::print(stderr, "sde: {}\n", reason(t));
    throw InputError("verify: none of the claims asked for is measured on the losses asked for");
  }
  if (leader && !o.out.empty()) prepare_folder(o.out);
  Setting setting;
  setting.seed = o.seed;
  setting.control = control_of(o.threads, o.device, o.quiet, ranks);
  Progress progress(o.quiet || !leader);
  const auto start = std::chrono::steady_clock::now();
  std::vector<Outcome> outcomes;
  try {
    outcomes = measure_within(o.budget, plan, setting, progress);
  } catch (const ensemble::Interrupted&) {
    progress.clear();
    if (leader) fmt::print(stderr, "sde: interrupted; no verdict was reached\n");
    return kInterrupted;
  }
  if (!leader) return kDone;  // rank 0's code counts
  const Run run{o.budget, setting, std::move(outcomes), seconds_since(start)};
  const Report report = claims::judge(run.outcomes);
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
  return report.passed(o.budget != "quick" && o.budget != "full") ? kDone : kClaimFailed;
}

}  // namespace

Command add_verify(CLI::App& app) {
  auto* sub = app.add_subcommand("verify", "Measure the claims of the theory, with intervals and verdicts");
  auto o = std::make_shared<Options>();
  sub->add_option("claim", o->claims, "Numbers of claims: " + numbers())->type_name("CLAIM");
  sub->add_flag("--all", o->all, "Every claim");
  sub->add_option("--loss", o->losses, "Only on this loss (repeatable)")->type_name("NAME")->allow_extra_args(false);
  sub->add_option("--budget", o->budget,
                  "quick (3 minutes on two cores), full (half an hour, margins and learning rates half as large), or "
                  "seconds")
      ->type_name("quick|full|SECONDS")
      ->capture_default_str();
  sub->add_option("--out", o->out, "Folder for verify.json and the figures")->type_name("DIR");
  sub->add_option("--seed", o->seed, "Random seed")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
  add_device_option(*sub, o->device);
  sub->add_option("--threads", o->threads,
                  "Threads (default: all cores; of several ranks on a node, a share each); same bits for any number")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  sub->add_flag("--json", o->json, "Print everything as JSON");
  sub->add_flag("--quiet", o->quiet, "No progress bar");
  sub->add_flag("--no-figure", o->no_figure, "Write verify.json only");
  std::string list = "Claims:\n";
  for (const auto& c : claims::all()) list += fmt::format("  {:>2}  {}\n", c.number, c.title);
  sub->footer(
      list +
      "\nExit code 0 where nothing disagrees and every wrong prediction is rejected, 1 otherwise.\n\nExamples:\n"
      "  sde verify --all --out out/verify\n  sde verify 2 4 --loss ring --budget 60");
  return {sub, {}, [o](ensemble::Ranks* ranks) { return verify(*o, ranks); }};
}

}  // namespace sde::cli
