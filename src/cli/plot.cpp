#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "../experiment/cell_file.hpp"
#include "../experiment/shared_file.hpp"
#include "cli.hpp"
#include "sde/core/suggestion.hpp"

namespace sde::cli {

std::filesystem::path shared(const std::string& name, const std::filesystem::path& source) {
  return experiment::shared_file(name, source);
}

std::string plot_script(const std::string& name) {
  return shared(name, std::filesystem::path(SDE_SOURCE_SHARE) / name).string();
}

int draw(const std::string& script, const std::vector<std::string>& arguments) {
  const char* chosen = std::getenv("SDE_PYTHON");
  std::vector<std::string> words{chosen ? chosen : SDE_PYTHON_DEFAULT, plot_script(script)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
    throw IoError(fmt::format(
        "'{}' cannot be started: expected Python with matplotlib and netCDF4 ($SDE_PYTHON names another)", words[0]));
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kIoFailure;
}

bool drawn(const std::string& script, const std::vector<std::string>& arguments,
           const std::function<void(const std::string&)>& say) {
  try {
    return draw(script, arguments) == 0;
  } catch (const IoError& e) {
    say(e.what());
    return false;
  }
}

namespace {

/// What is drawn of a sweep.
struct SweepAxes {
  std::string x, lines;
  std::vector<std::string> at;
};

/// The script for these datasets; what it is to be told of a sweep's axes joins its arguments.
std::string script_for(const std::vector<std::string>& data, bool component, const SweepAxes& axes,
                       std::vector<std::string>& arguments) {
  if (std::none_of(data.begin(), data.end(), experiment::is_sweep)) {
    if (!axes.x.empty() || !axes.lines.empty() || !axes.at.empty())
      throw InputError(
          fmt::format("sde plot: --x, --lines and --at are of sweeps: {} is none (sde run --sweep)", data[0]));
    return "plot.py";
  }
  if (data.size() > 1)
    throw InputError("sde plot: expected the dataset of a sweep by itself, or datasets of single runs");
  if (component) throw InputError("sde plot: --component: of a sweep one observable is drawn: expected --observable");
  if (!axes.x.empty()) arguments.insert(arguments.end(), {"--x", axes.x});
  if (!axes.lines.empty()) arguments.insert(arguments.end(), {"--lines", axes.lines});
  for (const auto& at : axes.at) arguments.insert(arguments.end(), {"--at", at});
  return "plot_sweep.py";
}

}  // namespace

std::string figure_files(const std::string& prefix, const std::vector<std::string>& formats) {
  std::vector<std::string> files;
  files.reserve(formats.size());
  for (const auto& format : formats) files.push_back(fmt::format("{}.{}", prefix, format));
  return fmt::format("{}", fmt::join(files, ", "));
}

Command add_plot(CLI::App& app) {
  struct Options {
    std::vector<std::string> data, labels, formats{"png", "svg"};
    std::string out, observable, component;
    SweepAxes sweep;
  };
  auto* sub = app.add_subcommand(
      "plot",
      "Draw one or more datasets of sde run against slow time, theory as lines, algorithms as markers: by default\n"
      "tr Hess, drift and diffusion of the component whose predicted drift is the largest in the first dataset, and "
      "the\n"
      "algorithms less their slow SDEs on common noise, where the dataset has that.\n"
      "A run that several datasets have with the same numbers is drawn once.");
  auto o = std::make_shared<Options>();
  sub->add_option("dataset", o->data, "netCDF file(s) of sde run")->required()->type_name("DATA.nc");
  sub->add_option("--out", o->out, "Prefix of the figures (default: beside the first dataset)")->type_name("PREFIX");
  sub->add_option("--observable", o->observable, "Left panel's observable (default: trace_hessian)")->type_name("NAME");
  sub->add_option("--component", o->component,
                  "Coordinate whose drift and diffusion are drawn (default: that of the largest predicted drift)")
      ->type_name("NAME");
  sub->add_option("--labels", o->labels,
                  "What the datasets are called in the legend, one for each (default: their files' names; of files of "
                  "one name, the keys or folders that tell them apart)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B,...");
  sub->add_option("--x", o->sweep.x, "Of a sweep: the key on the axis (default: the one with the most values)")
      ->type_name("KEY");
  sub->add_option("--lines", o->sweep.lines, "Of a sweep: the key with a colour for each value (default: the next one)")
      ->type_name("KEY");
  sub->add_option("--at", o->sweep.at, "Of a sweep: where another key is held (default: its first value; repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--formats", o->formats, "Formats: png, svg, pdf (default: png,svg)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LIST");
  sub->footer(
      "Examples:\n  sde plot out/main.nc\n  sde plot out/main.nc --observable lambda_max --component x2 --out fig\n"
      "  sde plot out/ring_sweep.nc --observable x1 --x eta --lines H\n"
      "  sde plot a/ring.nc b/ring.nc --labels \"eta = 0.01,eta = 0.02\" --out both");
  return {sub, [o] {
            std::vector<std::string> arguments = o->data;
            const std::filesystem::path first(o->data.front());
            const std::string prefix = o->out.empty() ? (first.parent_path() / first.stem()).string() : o->out;
            arguments.insert(arguments.end(), {"--out", prefix});
            if (!o->observable.empty()) arguments.insert(arguments.end(), {"--observable", o->observable});
            if (!o->component.empty()) arguments.insert(arguments.end(), {"--component", o->component});
            const auto script = script_for(o->data, !o->component.empty(), o->sweep, arguments);
            arguments.insert(arguments.end(), {"--formats", fmt::format("{}", fmt::join(o->formats, ","))});
            if (!o->labels.empty() && script != "plot.py")
              throw InputError("sde plot: --labels: a sweep has one dataset, whose lines are its keys");
            for (const auto& label : o->labels) arguments.push_back("--label=" + label);
            const int code = draw(script, arguments);
            if (code == 0) fmt::print("figure  {}\n", figure_files(prefix, o->formats));
            return code;
          }};
}

}  // namespace sde::cli
