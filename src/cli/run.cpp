#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "../experiment/checkpoint.hpp"
#include "../experiment/dataset.hpp"
#include "../experiment/durable_file.hpp"
#include "cli.hpp"
#include "gamma_report.hpp"
#include "output_lock.hpp"
#include "progress.hpp"
#include "run_report.hpp"
#include "sde/ensemble/bytes.hpp"
#include "session.hpp"
#include "simulate.hpp"
#include "sweep_run.hpp"

namespace sde::cli {

namespace {

using ensemble::MethodResult;
using experiment::Experiment;

/// One run: what is read, simulated, said and written, each in a function of its own.
class Runner {
 public:
  Runner(const RunOptions& o, const experiment::FileText& file, ensemble::Ranks* ranks)
      : options_(o),
        ranks_(ranks),
        leader_(leads(ranks)),
        experiment_(experiment::load(file, o.set)),
        plan_(experiment::plan_pairs(experiment_)),
        dataset_(std::filesystem::path(o.out) / (experiment_.name + ".nc")),
        checkpoint_(std::filesystem::path(o.out) / (experiment_.name + ".checkpoint")),
        clock_(o.checkpoint_every),
        progress_(o.quiet || !leader_) {
    if (!alone(ranks))  // each has read its own node's file
      gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(experiment_.source)), [](std::string&) {
      }).check();
    for (const auto* notes : {&experiment_.notes, &experiment_.repeated})
      for (const auto& note : *notes) say(note);
    if (leader_) {
      take_folder();
      if (!experiment_.problem.model->at_points()) gamma_ = findings_of(experiment_.problem);
      if (gamma_)
        for (const auto& warning : manifold::warnings(*gamma_)) say("Gamma at the start: " + warning);
    }
    if (o.resume)
      state_ = ensemble::unpacked<experiment::RunState>(ensemble::from_rank_0(ranks, "the checkpoint", [&] {
        return ensemble::packed(
            experiment::load_checkpoint(checkpoint_, experiment_, [&](const auto& text) { say(text); }));
      }));
    for (const auto& x : plan_.others)
      say(fmt::format("{}: not beside its slow SDE on common noise: {}", x.name, x.reason));
  }

  int operator()(const std::string& command_line) {
    if (const auto stopped = simulate()) return *stopped;
    if (!leader_) return kDone;  // rank 0's code counts
    progress_.clear();
    write(command_line);
    print(dataset_.string());
    if (!options_.no_figure) draw_figure(dataset_.string());
    return code_;
  }

 private:
  experiment::PairResults paired() const { return {plan_.pairs, state_.pairs}; }

  /// Made, writable, and nobody else's.
  void take_folder() {
    prepare_folder(options_.out);
    lock_.emplace(options_.out, experiment_.name, [&](const std::string& text) { say(text); });
    for (const auto& file : {dataset_, checkpoint_}) experiment::remove_unfinished(file);
    if (!options_.resume && experiment::has_state(checkpoint_))
      say(fmt::format("{}: left by a run that was interrupted: this one begins anew (--resume goes on from it)",
                      checkpoint_.string()));
  }

  void write(const std::string& command_line) {
    try {
      experiment::write_dataset(dataset_, experiment_, results_, paired(), command_line);
    } catch (const IoError&) {
      keep();
      say_what_is_kept();
      throw;
    }
    experiment::remove_state(checkpoint_);
  }

  /// A checkpoint, if one can be written: what has failed otherwise is not to hide behind it.
  void keep() {
    try {
      experiment::save_checkpoint(checkpoint_, experiment_, state_);
    } catch (const IoError& e) {
      say(fmt::format("no checkpoint: {}", e.what()));
    }
  }
  void say_what_is_kept() {
    if (leader_ && experiment::has_state(checkpoint_))
      say(fmt::format("checkpoint {} (the same command with --resume goes on from it)", checkpoint_.string()));
  }

  /// Every rank calls it, at the same state.
  bool paused(const ensemble::Control& control) {
    if (!goes_on(control)) return false;
    if (leader_) keep();
    clock_.go_on();
    return true;
  }

  /// Advances all methods, then the pairs; the exit code where that ended too soon.
  std::optional<int> simulate() {
    Listener listener;
    listener.progress = [&](double fraction, const std::string& method) { progress_.show(fraction, method); };
    listener.say = [&](const std::string& text) { say(text); };
    listener.failed = [&](std::size_t, const std::string&) { code_ = kNumericalFailure; };
    try {
      auto control = control_of(options_.threads, options_.device, options_.quiet, ranks_);
      control.pause = [&] { return clock_.due(); };
      listener.paused = [&] { return paused(control); };
      if (!cli::simulate(experiment_, plan_, control, state_, listener)) return stop("interrupted", kInterrupted);
    } catch (const DeviceFailure& failure) {
      return stop(failure.what(), kNumericalFailure);
    } catch (const InputError&) {
      throw;
    } catch (...) {  // its state may be torn
      say_what_is_kept();
      throw;
    }
    for (const auto& method : state_.methods) results_.push_back(method.total);
    return std::nullopt;
  }

  int stop(const std::string& why, ExitCode with) {
    if (!leader_) return with;
    experiment::save_checkpoint(checkpoint_, experiment_, state_);
    say(fmt::format("{}; checkpoint {} (the same command with --resume goes on from it)", why, checkpoint_.string()));
    return with;
  }

  void print(const std::string& dataset) const {
    if (options_.json)
      fmt::print("{}\n", summary(experiment_, gamma_, results_, paired(), dataset).dump(2));
    else
      print_table(experiment_, gamma_, results_, paired());
    if (!options_.json && !options_.quiet) fmt::print("\ndataset {}\n", dataset);
  }

  void draw_figure(const std::string& dataset) {
    const auto prefix = (std::filesystem::path(options_.out) / experiment_.name).string();
    if (drawn("plot.py", {dataset, "--out", prefix}, [&](const std::string& text) { say(text); })) {
      if (!options_.json && !options_.quiet) fmt::print("figure  {}\n", figure_files(prefix, {"png", "svg"}));
      return;
    }
    say(fmt::format("the figure was not drawn; the dataset is complete (sde plot {} tries again)", dataset));
    if (code_ == kDone) code_ = kIoFailure;
  }

  /// On standard error, by one rank.
  void say(const std::string& text) {
    if (!leader_) return;
    progress_.clear();
    fmt::print(stderr, "sde: {}\n", text);
  }

  const RunOptions& options_;
  ensemble::Ranks* ranks_;
  const bool leader_;
  const Experiment experiment_;
  const experiment::PairPlan plan_;
  std::optional<manifold::Findings> gamma_;  ///< of the leader; of a network none
  const std::filesystem::path dataset_, checkpoint_;
  CheckpointClock clock_;
  std::optional<OutputLock> lock_;  ///< of the leader
  Progress progress_;
  experiment::RunState state_;
  std::vector<MethodResult> results_;
  int code_ = kDone;
};

int run(RunOptions o, ensemble::Ranks* ranks, const std::string& command_line) {
  const auto file = experiment::read_text(o.file);
  if (o.seed >= 0) o.set.push_back(fmt::format("experiment.seed={}", o.seed));
  const auto sweep = experiment::read_sweep(file, o.set, o.sweep, o.zip);
  if (!sweep.axes.empty()) return run_sweep(o, file, sweep, ranks, command_line);
  if (o.jobs > 1)
    throw InputError("--jobs: expected a sweep, whose cells are its jobs (--sweep, or [sweep] in the file)");
  return Runner(o, file, ranks)(command_line);
}

}  // namespace

Command add_run(CLI::App& app, const std::string& command_line) {
  auto* sub = app.add_subcommand("run", "Simulate an experiment: slow SDEs and discrete algorithms side by side");
  auto o = std::make_shared<RunOptions>();
  sub->add_option("experiment", o->file, "Experiment file (TOML)")->required()->type_name("FILE.toml");
  sub->add_option("--set", o->set,
                  "Override a key, e.g. training.eta=0.02 or method.1.H=10; methods count from 0, method.*.H=10 is of "
                  "all (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--sweep", o->sweep,
                  "Run for each of several values of a key: v1,v2,..., geom:first:last:count or lin:first:last:count; "
                  "of several keys (repeatable) for every combination")
      ->type_name("KEY=VALUES")
      ->allow_extra_args(false);
  sub->add_flag("--zip", o->zip, "The values of all swept keys go together, instead of every combination");
  sub->add_option("--jobs", o->jobs, "Cells of a sweep at a time, which share the threads; same bits for any number")
      ->check(whole_number(1, 1024))
      ->type_name("N");
  sub->add_option("--out", o->out, "Folder of the dataset and the figures")->type_name("DIR")->capture_default_str();
  sub->add_option("--seed", o->seed, "Random seed (default: the experiment's)")
      ->check(whole_number(0, std::numeric_limits<long>::max()))
      ->type_name("N");
  sub->add_option("--threads", o->threads,
                  "Threads (default: all cores; of several ranks on a node, a share each); same bits for any number")
      ->check(whole_number(1, kMostThreads))
      ->type_name("N");
  add_device_option(*sub, o->device);
  add_checkpoint_option(*sub, o->checkpoint_every);
  sub->add_flag("--resume", o->resume,
                "Go on from the checkpoint that an interrupted run left in --out; same bits as without interruption");
  sub->add_flag("--json", o->json, "Print the summary as JSON");
  sub->add_flag("--quiet", o->quiet, "No progress bar, no file names");
  sub->add_flag("--no-figure", o->no_figure, "Write the dataset only");
  sub->footer(
      "Examples:\n  sde run experiments/main.toml\n  sde run experiments/ring.toml --set training.workers=4 --set "
      "experiment.paths=512 --out out/ring4\n"
      "  sde run experiments/ring.toml --set method.2.H=50            the third [[method]]: they count from 0\n"
      "  sde run experiments/main.toml --resume       after an interruption\n"
      "  sde run experiments/main.toml --sweep training.eta=geom:0.0025:0.01:3 --sweep training.workers=2,8\n"
      "  mpirun -n 4 sde run experiments/main.toml --set experiment.paths=1000000    four ranks, the same bits");
  return {sub, {}, [o, command_line](ensemble::Ranks* ranks) { return run(*o, ranks, command_line); }};
}

}  // namespace sde::cli
