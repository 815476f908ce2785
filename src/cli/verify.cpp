#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "../experiment/checkpoint.hpp"
#include "../experiment/durable_file.hpp"
#include "cli.hpp"
#include "output_lock.hpp"
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
  CheckpointEvery checkpoint_every;
  bool json = false, quiet = false, no_figure = false, resume = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What a task has come to.
struct Done {
  claims::Measured measured;
  double seconds = 0;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& measured& seconds;
  }
};
/// Which tasks are complete, the first of them in their order; of the pilot that sets the effort, too.
struct VerifyState {
  std::vector<Done> pilot, outcomes;
  double effort = 0;  ///< that the pilot has set; 0: not yet

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& pilot& outcomes& effort;
  }
};

/// What the tasks are measured with: progress, and the checkpoint of what is complete.
class Measuring {
 public:
  Measuring(const Options& o, const Plan& plan, Setting& setting, Progress& progress)
      : options_(o),
        plan_(plan),
        setting_(setting),
        progress_(progress),
        leader_(leads(setting.control.ranks)),
        file_(std::filesystem::path(o.out) / "verify.checkpoint"),
        clock_(o.checkpoint_every) {
    if (!o.resume) return;
    state_ = ensemble::unpacked<VerifyState>(ensemble::from_rank_0(setting.control.ranks, "the checkpoint", [&] {
      return experiment::load_state(file_, question(),
                                    [](const std::string& text) { fmt::print(stderr, "sde: {}\n", text); });
    }));
  }

  /// Throws Interrupted; what is complete is kept then, if there is a folder to keep it in.
  std::vector<Outcome> operator()() {
    try {
      return within_budget();
    } catch (const ensemble::Interrupted&) {
      if (leader_ && !options_.out.empty()) experiment::save_state(file_, question(), ensemble::packed(state_));
      throw;
    }
  }

  /// Deletes the checkpoint: the verdicts are written.
  void done() const { experiment::remove_state(file_); }
  const std::filesystem::path& file() const { return file_; }

 private:
  /// quick and full are fixed amounts of work. Seconds: a pilot at 1/64 of quick says what the time allows.
  std::vector<Outcome> within_budget() {
    const auto& budget = options_.budget;
    if (budget == "quick") return measure(state_.outcomes);
    if (budget == "full") {
      // A file's rates and margins are what it asks about: more paths are all that can be had.
      setting_.effort = plan_.experiment ? 8 : 2;
      if (!plan_.experiment) setting_.margin = setting_.eta = 0.5;
      return measure(state_.outcomes);
    }
    char* end = nullptr;
    const double seconds = std::strtod(budget.c_str(), &end);
    constexpr double kMost = 1e7;  // four months
    if (budget.empty() || *end != '\0' || !(seconds > 0 && seconds <= kMost))
      throw InputError(fmt::format("--budget {}: expected quick, full, or a number of seconds above 0 and up to {:g}",
                                   budget, kMost));
    setting_.effort = kPilot;
    auto pilot = measure(state_.pilot);
    if (state_.effort == 0) {
      double used = 0;
      for (const auto& outcome : pilot) used += outcome.seconds;
      // Ranks go by one clock.
      state_.effort = ensemble::unpacked<double>(ensemble::from_rank_0(
          setting_.control.ranks, "effort", [&] { return ensemble::packed(kPilot * (seconds - used) / used); }));
    }
    if (state_.effort < 2 * kPilot) return pilot;
    setting_.effort = state_.effort;
    return measure(state_.outcomes);
  }

  /// All tasks, but for those that are done.
  std::vector<Outcome> measure(std::vector<Done>& done) {
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      const auto& task = plan_.tasks[i];
      progress_.show(static_cast<double>(i) / static_cast<double>(plan_.tasks.size()),
                     fmt::format("claim {}, {}", task.claim->number, task.on->name));
      if (i == done.size()) {
        const auto start = std::chrono::steady_clock::now();
        auto own = setting_;
        own.stream = task.on->stream;
        auto measured = task.claim->measure(own, *task.on);
        done.push_back({std::move(measured), seconds_since(start)});
        keep_if_due();
      }
      outcomes.push_back({task, done[i].measured, done[i].seconds});
    }
    progress_.clear();
    return outcomes;
  }

  void keep_if_due() {
    if (!leader_ || options_.out.empty() || !clock_.due()) return;
    try {
      experiment::save_state(file_, question(), ensemble::packed(state_));
    } catch (const IoError& e) {
      progress_.clear();
      fmt::print(stderr, "sde: no checkpoint: {}\n", e.what());
    }
    clock_.go_on();
  }

  /// All that decides what is measured.
  std::string question() const {
    const auto& q = options_.question;
    return fmt::format("{}\n{}\n{}\n{}\n{} {} {}\n{}", fmt::join(q.words, " "), fmt::join(q.losses, " "),
                       fmt::join(q.set, "\n"), fmt::join(q.margins, " "), q.all, options_.budget, options_.seed,
                       plan_.experiment ? plan_.experiment->source : "");
  }

  static constexpr double kPilot = 1.0 / 64;  ///< of the effort of quick
  const Options& options_;
  const Plan& plan_;
  Setting& setting_;
  Progress& progress_;
  const bool leader_;
  const std::filesystem::path file_;
  CheckpointClock clock_;
  VerifyState state_;
};

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
  if (o.resume && o.out.empty()) throw InputError("--resume: expected --out, the folder where the checkpoint is");
  std::optional<OutputLock> lock;
  std::optional<Measuring> measuring;
  Plan plan;
  std::vector<Outcome> outcomes;
  try {
    plan = plan_of(o.question, [&](const experiment::Experiment* e) {
      if (e && !alone(ranks))  // each has read its own node's file
        gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(e->source)), [](std::string&) {}).check();
      if (leader && !o.out.empty()) {
        prepare_folder(o.out);
        lock.emplace(o.out, "verify", [](const std::string& text) { fmt::print(stderr, "sde: {}\n", text); });
      }
      setting.control = control_of(o.threads, o.device, o.quiet, ranks);
      if (e && leader)
        for (const auto& note : e->notes) fmt::print(stderr, "sde: {}\n", note);
      if (e) progress.show(0, "short runs that set the sizes");
      return setting;
    });
    if (plan.tasks.empty()) {
      if (leader)
        for (const auto& text : reasons(plan.not_measured)) fmt::print(stderr, "sde: {}\n", text);
      throw InputError(plan.experiment ? "verify: none of the claims asked for applies to this file"
                                       : "verify: none of the claims asked for is measured on the losses asked for");
    }
    measuring.emplace(o, plan, setting, progress);
    outcomes = (*measuring)();
  } catch (const ensemble::Interrupted&) {
    progress.clear();
    const bool kept = measuring && !o.out.empty();
    if (leader)
      fmt::print(stderr, "sde: interrupted; no verdict was reached{}\n",
                 kept ? fmt::format("; checkpoint {} (the same command with --resume goes on from it)",
                                    measuring->file().string())
                      : "");
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
    const auto text = j.dump(2) + '\n';
    experiment::write_file(file, text.data(), text.size());
    measuring->done();
    const bool points =
        std::any_of(run.outcomes.begin(), run.outcomes.end(), [](const auto& x) { return !x.measured.points.empty(); });
    const auto say = [](const std::string& what) { fmt::print(stderr, "sde: {}\n", what); };
    if (!o.no_figure && points && !drawn("plot_claims.py", {file.string(), "--out", o.out}, say))
      say(fmt::format("the figures were not drawn; {} is complete", file.string()));
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
  sub->add_option("--budget", o->budget,
                  "quick (5 minutes on two cores; a file: less than one), full (three quarters of an hour, margins and "
                  "learning rates "
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
  add_checkpoint_option(*sub, o->checkpoint_every);
  sub->add_flag(
      "--resume", o->resume,
      "Go on from the checkpoint that an interrupted verification left in --out: with the claims that are not "
      "complete");
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
