// What is run for a pairing, in whole steps of the algorithm.
#pragma once

#include <atomic>

#include "sde/model/paired_tile.hpp"
#include "sde/verify/paired.hpp"

namespace sde::verify {

struct PairedPlan {
  PairedSetup setup;
  std::vector<std::int64_t> pairs;   ///< double steps before each time of comparison
  std::vector<double> slow_time;     ///< of each comparison
  std::int64_t burn_in = 0;          ///< steps of the algorithm
  std::vector<PairedStep> changing;  ///< the double steps where schedules change; else they are all alike
  std::int64_t steps = 0;            ///< of the algorithm in all
  /// Refers to the pairing's functions. Throws std::invalid_argument for a conventional SDE, whose increments are not
  /// the algorithm's draws, for a burn-in under changing schedules, and where the run has less than two rounds.
  explicit PairedPlan(const Pairing&);

  /// The double step whose end is nearest to slow time t, counted from 1.
  std::int64_t nearest(double t) const;
  /// Slow time of the end of a double step.
  double end(std::int64_t pair) const;

 private:
  std::vector<double> ends;  ///< of `changing`, from the start on
};

/// Paths of a pairing where they were observed.
struct PairedSnapshots {
  bool burned_in = false;
  PairedState begin;            ///< when the SDEs began, after a burn-in
  std::vector<PairedState> at;  ///< the times of comparison
};

/// Runs `count` paths from number `first` on through all times of comparison. Throws ensemble::Interrupted where
/// `interrupted` is set.
void run_tile(PairedTile&, const Problem&, std::uint32_t first, long count, const PairedPlan&,
              const std::atomic<bool>* interrupted, PairedSnapshots&);

}  // namespace sde::verify
