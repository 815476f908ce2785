// The subcommands of `sde`. Each adds its options to the app; run() of the chosen one returns the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "sde/ensemble/ranks.hpp"

namespace sde::cli {

enum ExitCode { kDone = 0, kClaimFailed = 1, kBadInput = 2, kNumericalFailure = 3, kIoFailure = 4, kInterrupted = 130 };

struct Command {
  CLI::App* app;
  std::function<int()> run;
  std::function<int(ensemble::Ranks*)> run_on_ranks = {};  ///< instead, of those that share their work among ranks
};

Command add_run(CLI::App& app, const std::string& command_line);
Command add_verify(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_terms(CLI::App& app);
Command add_list(CLI::App& app);
Command add_plot(CLI::App& app);
Command add_report(CLI::App& app);
Command add_info(CLI::App& app);

/// Runs an installed Python script that draws figures: returns its exit code. Throws IoError where it cannot.
int draw(const std::string& script, const std::vector<std::string>& arguments);
/// The same of a figure beside results that are complete: whether it was drawn; `say` is told why it was not begun.
bool drawn(const std::string& script, const std::vector<std::string>& arguments,
           const std::function<void(const std::string&)>& say);
/// The names of a figure's files: "out/main.png, out/main.svg".
std::string figure_files(const std::string& prefix, const std::vector<std::string>& formats);
/// Where a file or folder of share/sde is: in $SDE_SHARE, beside the installed program, or `source`, in the source
/// tree. Throws IoError.
std::filesystem::path shared(const std::string& name, const std::filesystem::path& source);
/// Where a script is.
std::string plot_script(const std::string& name);

/// Prints how a loss is typed, and the gallery. Returns the exit code.
int print_formulas();

/// Adds --device, whose text `device` receives.
void add_device_option(CLI::App& sub, std::string& device);

struct CheckpointEvery;
/// Adds --checkpoint-every.
void add_checkpoint_option(CLI::App& sub, CheckpointEvery& every);

/// Checks of options that say what was expected, and what came: a whole number from `least` to `most`; finite numbers.
CLI::Validator whole_number(long least, long most);
CLI::Validator number_above(double above);
/// Infinity, too, where `infinity` is true.
CLI::Validator number_of_at_least(double least, bool infinity = false);
/// As many threads as --threads takes.
constexpr long kMostThreads = 4096;

/// Says what is wrong with a command line whose first word is no subcommand. Throws InputError.
void check_subcommand(const CLI::App& app, int argc, const char* const* argv);
/// The same of options and words that the subcommand does not take.
std::string unknown_arguments(const CLI::App& app);

/// Colour on a terminal's standard error, unless NO_COLOR is set.
bool color();

}  // namespace sde::cli
