// The subcommands of `sde`. Each adds its options to the app; run() of the chosen one returns the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace sde::cli {

enum ExitCode { kDone = 0, kClaimFailed = 1, kBadInput = 2, kNumericalFailure = 3, kIoFailure = 4, kInterrupted = 130 };

struct Command {
  CLI::App* app;
  std::function<int()> run;
};

Command add_run(CLI::App& app, const std::string& command_line);
Command add_terms(CLI::App& app);
Command add_list(CLI::App& app);
Command add_plot(CLI::App& app);
Command add_info(CLI::App& app);

/// Draws a dataset with the installed plot script: returns its exit code. `extra` are passed on.
int draw(const std::vector<std::string>& arguments);
/// Where the plot script is: $SDE_SHARE, beside the installed program, or in the source tree.
std::string plot_script();

/// Colour on a terminal's standard error, unless NO_COLOR is set.
bool color();

}  // namespace sde::cli
