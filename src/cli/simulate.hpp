// The methods and pairs of one experiment, advanced to their ends: of `sde run`, and of each cell of its sweeps.
#pragma once

#include <functional>
#include <string>

#include "../experiment/checkpoint.hpp"
#include "../experiment/pairs.hpp"

namespace sde::cli {

/// Who hears of a simulation on its way.
struct Listener {
  std::function<void(double fraction, const std::string& method)> progress;
  std::function<void(const std::string&)> say;                             ///< what the user should know
  std::function<void(std::size_t method, const std::string& why)> failed;  ///< its results may not be believed
  /// A method has stopped before its end: to pause, or as it is interrupted. The state is as it is now, to be kept;
  /// false: it does not go on. Without it nothing does.
  std::function<bool()> paused = {};
  /// A method (or its pair) that throws has failed by itself, and the next goes on; else the exception does.
  bool keep_going = false;
};

/// Advances method after method from `state`, then the pairs; all results are in it after. Of a pair that has failed
/// by itself the tables are empty. False: it was not to go on from where it had stopped. Throws DeviceFailure, and what
/// a method throws.
bool simulate(const experiment::Experiment&, const experiment::PairPlan&, ensemble::Control,
              experiment::RunState& state, const Listener&);

/// What an experiment costs, in units of a gradient, about.
double work_of(const experiment::Experiment&, const experiment::PairPlan&);

}  // namespace sde::cli
