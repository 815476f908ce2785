#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "../experiment/checkpoint.hpp"
#include "../experiment/dataset.hpp"
#include "cli.hpp"
#include "progress.hpp"
#include "run_report.hpp"
#include "sde/ensemble/bytes.hpp"
#include "session.hpp"

namespace sde::cli {

namespace {

struct Options {
  std::string file, out = "out", device = "cpu";
  std::vector<std::string> set;
  long seed = -1;
  int threads = 0;
  bool json = false, quiet = false, no_figure = false, resume = false;
};

using ensemble::MethodResult;
using experiment::Experiment;

/// One run: what is read, simulated, said and written, each in a function of its own.
class Runner {
 public:
  Runner(const Options& o, ensemble::Ranks* ranks)
      : options_(o),
        ranks_(ranks),
        leader_(leads(ranks)),
        experiment_(load(o)),
        checkpoint_(std::filesystem::path(o.out) / (experiment_.name + ".checkpoint")),
        progress_(o.quiet || !leader_) {
    if (!alone(ranks))  // each has read its own node's file
      gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(experiment_.source)), [](std::string&) {
      }).check();
    for (const auto* notes : {&experiment_.notes, &experiment_.repeated})
      for (const auto& note : *notes) say(note);
    if (leader_) prepare_folder(o.out);
    if (o.resume)
      states_ =
          ensemble::unpacked<std::vector<ensemble::MethodState>>(ensemble::from_rank_0(ranks, "the checkpoint", [&] {
            return ensemble::packed(experiment::load_checkpoint(checkpoint_, experiment_));
          }));
    states_.resize(experiment_.methods.size());
  }

  int operator()(const std::string& command_line) {
    if (const auto stopped = simulate()) return *stopped;
    if (!leader_) return kDone;  // rank 0's code counts
    progress_.clear();
    const auto dataset = std::filesystem::path(options_.out) / (experiment_.name + ".nc");
    experiment::write_dataset(dataset, experiment_, results_, command_line);
    std::filesystem::remove(checkpoint_);
    print(dataset.string());
    if (!options_.no_figure) draw_figure(dataset.string());
    return code_;
  }

 private:
  static Experiment load(const Options& o) {
    auto set = o.set;
    if (o.seed >= 0) set.push_back(fmt::format("experiment.seed={}", o.seed));
    return experiment::load(o.file, set);
  }

  /// Advances all methods; the exit code where that ended too soon.
  std::optional<int> simulate() {
    const auto& methods = experiment_.methods;
    auto control = control_of(options_.threads, options_.device, options_.quiet, ranks_);
    control.notice = [&](const std::string& text) { say(text); };
    std::vector<double> work;  // weights of the bar
    double all = 0, done = 0;
    for (const auto& m : methods) {
      work.push_back(m.dynamics->work(m, experiment_.observation.times.back()) * static_cast<double>(m.paths) + 1);
      all += work.back();
    }
    for (std::size_t i = 0; i < methods.size(); ++i) {
      control.progress = [&](double fraction) { progress_.show((done + fraction * work[i]) / all, methods[i].name); };
      control.progress(0);
      try {
        if (!ensemble::resume(experiment_.problem, methods[i], observation_of(experiment_, i), control, states_[i]))
          return stop("interrupted", kInterrupted);
      } catch (const DeviceFailure& failure) {
        return stop(failure.what(), kNumericalFailure);
      }
      results_.push_back(states_[i].total);
      done += work[i];
      report_lost(methods[i].name, results_.back());
    }
    return std::nullopt;
  }

  int stop(const std::string& why, ExitCode with) {
    if (!leader_) return with;
    experiment::save_checkpoint(checkpoint_, experiment_, states_);
    say(fmt::format("{}; checkpoint {} (the same command with --resume goes on from it)", why, checkpoint_.string()));
    return with;
  }

  void report_lost(const std::string& method, const MethodResult& r) {
    if (r.lost == 0 || !leader_) return;
    say(fmt::format("{}: {} of {} paths lost; the first: path {}, step {}, before slow time {:.4g}: {}", method, r.lost,
                    r.paths, r.first_lost.path, r.first_lost.step, r.first_lost.slow_time, r.first_lost.reason));
    if (static_cast<double>(r.lost) <= experiment_.max_lost * static_cast<double>(r.paths)) return;
    say(fmt::format("that is more than experiment.max_lost = {} allows: try a smaller eta or dt",
                    experiment_.max_lost));
    code_ = kNumericalFailure;
  }

  void print(const std::string& dataset) const {
    if (options_.json)
      fmt::print("{}\n", summary(experiment_, results_, dataset).dump(2));
    else
      print_table(experiment_, results_);
    if (!options_.json && !options_.quiet) fmt::print("\ndataset {}\n", dataset);
  }

  void draw_figure(const std::string& dataset) {
    const auto prefix = (std::filesystem::path(options_.out) / experiment_.name).string();
    if (draw("plot.py", {dataset, "--out", prefix}) == 0) {
      if (!options_.json && !options_.quiet) fmt::print("figure  {0}.png, {0}.svg\n", prefix);
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

  const Options& options_;
  ensemble::Ranks* ranks_;
  const bool leader_;
  const Experiment experiment_;
  const std::filesystem::path checkpoint_;
  Progress progress_;
  std::vector<ensemble::MethodState> states_;
  std::vector<MethodResult> results_;
  int code_ = kDone;
};

}  // namespace

Command add_run(CLI::App& app, const std::string& command_line) {
  auto* sub = app.add_subcommand("run", "Simulate an experiment: slow SDEs and discrete algorithms side by side");
  auto o = std::make_shared<Options>();
  sub->add_option("experiment", o->file, "Experiment file (TOML)")->required()->type_name("FILE.toml");
  sub->add_option("--set", o->set,
                  "Override a key, e.g. training.eta=0.02 or method.1.H=10; methods count from 0 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--out", o->out, "Folder of the dataset and the figures")->type_name("DIR")->capture_default_str();
  sub->add_option("--seed", o->seed, "Random seed (default: the experiment's)")
      ->check(whole_number(0, std::numeric_limits<long>::max()))
      ->type_name("N");
  sub->add_option("--threads", o->threads,
                  "Threads (default: all cores; of several ranks on a node, a share each); same bits for any number")
      ->check(whole_number(1, kMostThreads))
      ->type_name("N");
  add_device_option(*sub, o->device);
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
      "  mpirun -n 4 sde run experiments/main.toml --set experiment.paths=1000000    four ranks, the same bits");
  return {sub, {}, [o, command_line](ensemble::Ranks* ranks) { return Runner(*o, ranks)(command_line); }};
}

}  // namespace sde::cli
