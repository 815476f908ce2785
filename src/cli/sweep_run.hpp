// `sde run` for every cell of a sweep.
#pragma once

#include <string>
#include <vector>

#include "../experiment/sweep.hpp"
#include "checkpoint_clock.hpp"
#include "sde/ensemble/ranks.hpp"

namespace sde::cli {

/// What the command line of `sde run` says.
struct RunOptions {
  std::string file, out = "out", device = "cpu";
  std::vector<std::string> set, sweep;
  long seed = -1;
  int threads = 0, jobs = 1;
  CheckpointEvery checkpoint_every;
  bool zip = false, json = false, quiet = false, no_figure = false, resume = false;
};

/// Runs all cells, and writes one dataset of them; the exit code. What is complete, and a checkpoint of what is not,
/// lies in the folder OUT/NAME.cells until all are: `resume` goes on from there. Throws InputError before anything
/// runs.
int run_sweep(const RunOptions&, const experiment::FileText&, const experiment::Sweep&, ensemble::Ranks*,
              const std::string& command_line);

}  // namespace sde::cli
