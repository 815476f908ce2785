#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "../experiment/checkpoint.hpp"
#include "../experiment/dataset.hpp"
#include "cli.hpp"
#include "progress.hpp"
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

std::string interval(const stats::Moments& m, long paths) {
  if (m.n == 0) return fmt::format("{:>10}            ", "no path left");
  if (paths == 1) return fmt::format("{:10.5f}            ", m.mean);
  return fmt::format("{:10.5f} +- {:.5f}", m.mean, 1.96 * m.standard_error());
}

void print_table(const Experiment& e, const std::vector<MethodResult>& results) {
  std::size_t width = 6;
  for (const auto& m : e.methods) width = std::max(width, m.name.size());
  fmt::print("{}\n{} | paths with 95% intervals | slow time {}\n\n", e.title, e.loss_name, e.observation.times.back());
  fmt::print("{:<{}}  {:>6} {:>7}  {:<23}  {:<23}  {:>6} {:>5}\n", "method", width, "H", "alpha", " tr Hess, start",
             " tr Hess, end", "paths", "lost");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    const auto& a = e.methods[i].algorithm;
    const bool limit = std::isinf(e.methods[i].dynamics->parameters(e.methods[i], a.rate.steps).alpha);
    const auto H = a.peak_steps_in_round();
    fmt::print("{:<{}}  {:>6} {:>7}  {}  {}  {:>6} {:>5}\n", e.methods[i].name, width,
               limit ? "inf" : fmt::format("{}", H),
               limit ? "inf" : fmt::format("{:.3g}", a.rate.eta * static_cast<double>(H)),
               interval(r.at(0, "trace_hessian"), r.paths),
               interval(r.at(r.values.size() - 1, "trace_hessian"), r.paths), r.paths, r.lost);
  }
}

nlohmann::json summary(const Experiment& e, const std::vector<MethodResult>& results, const std::string& dataset) {
  nlohmann::json j{{"title", e.title}, {"dataset", dataset}, {"seed", e.seed}, {"methods", nlohmann::json::array()}};
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    nlohmann::json m{{"name", e.methods[i].name},
                     {"kind", e.methods[i].kind()},
                     {"group", e.methods[i].group},
                     {"paths", r.paths},
                     {"lost", r.lost},
                     {"gradient_evaluations", r.gradients},
                     {"slow_time", r.slow_time.back()},
                     {"final", nlohmann::json::object()}};
    for (std::size_t q = 0; q < r.observables.size(); ++q) {
      const auto& v = r.values.back()[q];
      m["final"][r.observables[q]] = {{"mean", v.n > 0 ? nlohmann::json(v.mean) : nlohmann::json(nullptr)},
                                      {"standard_error", v.n > 1        ? v.standard_error()
                                                         : r.paths == 1 ? 0.0
                                                                        : std::nan("")}};
    }
    j["methods"].push_back(m);
  }
  return j;
}

int run(const Options& o, const std::string& command_line, ensemble::Ranks* ranks) {
  auto set = o.set;
  if (o.seed >= 0) set.push_back(fmt::format("experiment.seed={}", o.seed));
  const Experiment e = experiment::load(o.file, set);
  const bool leader = leads(ranks);
  if (!alone(ranks))  // each has read its own node's file
    gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(e.source)), [](std::string&) {}).check();
  if (leader) prepare_folder(o.out);
  const auto checkpoint = std::filesystem::path(o.out) / (e.name + ".checkpoint");
  std::vector<ensemble::MethodState> states;
  if (o.resume)
    states = ensemble::unpacked<std::vector<ensemble::MethodState>>(ensemble::from_rank_0(
        ranks, "the checkpoint", [&] { return ensemble::packed(experiment::load_checkpoint(checkpoint, e)); }));
  states.resize(e.methods.size());

  auto control = control_of(o.threads, o.device, o.quiet, ranks);
  Progress progress(o.quiet || !leader);
  control.notice = [&](const std::string& text) {
    if (!leader) return;
    progress.clear();
    fmt::print(stderr, "sde: {}\n", text);
  };
  std::vector<MethodResult> results;
  // Weights of the bar.
  std::vector<double> work;
  double all = 0, done = 0;
  for (const auto& m : e.methods) {
    work.push_back(m.dynamics->work(m, e.observation.times.back()) * static_cast<double>(m.paths) + 1);
    all += work.back();
  }
  int code = kDone;
  for (std::size_t i = 0; i < e.methods.size(); ++i) {
    control.progress = [&](double fraction) { progress.show((done + fraction * work[i]) / all, e.methods[i].name); };
    control.progress(0);
    const auto stop = [&](const std::string& why, ExitCode with) {
      if (!leader) return with;
      progress.clear();
      experiment::save_checkpoint(checkpoint, e, states);
      fmt::print(stderr, "sde: {}; checkpoint {} (the same command with --resume goes on from it)\n", why,
                 checkpoint.string());
      return with;
    };
    try {
      if (!ensemble::resume(e.problem, e.methods[i], e.observation, control, states[i]))
        return stop("interrupted", kInterrupted);
    } catch (const DeviceFailure& failure) {
      return stop(failure.what(), kNumericalFailure);
    }
    results.push_back(states[i].total);
    done += work[i];
    const auto& r = results.back();
    if (r.lost > 0 && leader) {
      progress.clear();
      fmt::print(stderr, "sde: {}: {} of {} paths lost; the first: path {}, step {}, before slow time {:.4g}: {}\n",
                 e.methods[i].name, r.lost, r.paths, r.first_lost.path, r.first_lost.step, r.first_lost.slow_time,
                 r.first_lost.reason);
      if (static_cast<double>(r.lost) > e.max_lost * static_cast<double>(r.paths)) {
        fmt::print(stderr, "sde: that is more than experiment.max_lost = {} allows: try a smaller eta or dt\n",
                   e.max_lost);
        code = kNumericalFailure;
      }
    }
  }
  if (!leader) return kDone;  // rank 0's code counts
  progress.clear();
  const auto dataset = std::filesystem::path(o.out) / (e.name + ".nc");
  experiment::write_dataset(dataset, e, results, command_line);
  std::filesystem::remove(checkpoint);
  if (o.json)
    fmt::print("{}\n", summary(e, results, dataset.string()).dump(2));
  else
    print_table(e, results);
  if (!o.json && !o.quiet) fmt::print("\ndataset {}\n", dataset.string());
  if (!o.no_figure) {
    const auto prefix = (std::filesystem::path(o.out) / e.name).string();
    if (draw("plot.py", {dataset.string(), "--out", prefix}) == 0) {
      if (!o.json && !o.quiet) fmt::print("figure  {0}.png, {0}.svg\n", prefix);
    } else {
      fmt::print(stderr, "sde: the figure was not drawn; the dataset is complete (sde plot {} tries again)\n",
                 dataset.string());
      if (code == kDone) code = kIoFailure;
    }
  }
  return code;
}

}  // namespace

Command add_run(CLI::App& app, const std::string& command_line) {
  auto* sub = app.add_subcommand("run", "Simulate an experiment: slow SDEs and discrete algorithms side by side");
  auto o = std::make_shared<Options>();
  sub->add_option("experiment", o->file, "Experiment file (TOML)")->required()->type_name("FILE.toml");
  sub->add_option("--set", o->set, "Override a key, e.g. training.eta=0.02 or method.1.H=10 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--out", o->out, "Folder of the dataset and the figures")->type_name("DIR")->capture_default_str();
  sub->add_option("--seed", o->seed, "Random seed (default: the experiment's)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  sub->add_option("--threads", o->threads,
                  "Threads (default: all cores; of several ranks on a node, a share each); same bits for any number")
      ->check(CLI::PositiveNumber)
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
      "  sde run experiments/main.toml --resume       after an interruption\n"
      "  mpirun -n 4 sde run experiments/main.toml --set experiment.paths=1000000    four ranks, the same bits");
  return {sub, {}, [o, command_line](ensemble::Ranks* ranks) { return run(*o, command_line, ranks); }};
}

}  // namespace sde::cli
