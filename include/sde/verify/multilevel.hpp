// Multilevel Monte Carlo (Giles, Operations Research 2008): E P_L = E P_0 + sum_l E(P_l - P_{l-1}), each difference on
// common noise, so its variance falls from level to level while its cost rises; paths are shared out so that the
// variance reaches its goal at the least cost. Two hierarchies: discrete Local SGD with learning rates that halve, and
// the slow SDE with time steps that halve.
#pragma once

#include "sde/verify/paired.hpp"

namespace sde::verify {

/// What the paths of one level gave.
struct LevelMoments {
  Moments difference;  ///< P_l - P_{l-1}; on level 0 P_0
  Moments fine;        ///< P_l
  void merge(const LevelMoments& from) {
    difference.merge(from.difference);
    fine.merge(from.fine);
  }

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& difference& fine;
  }
};

/// The levels of an estimate.
struct Hierarchy {
  std::vector<double> cost;  ///< [level] of a path: gradient evaluations (discrete) or steps (slow)
  double plain_cost = 0;     ///< of a path of the last level without its coarse partner
  /// Paths first .. first + count - 1 of a level; levels are independent.
  std::function<LevelMoments(std::size_t level, long first, long count)> sample;
};

/// P = g(Phi(avg)) at slow time `time`. Level l runs at eta 2^(L-l), L the last level, with alpha = eta H kept; one
/// draw of a level is the normalized sum of four of the next. `time` is rounded to whole rounds of level 0.
/// Throws std::invalid_argument where H is not a multiple of 2^L, or where the noise is not Gaussian draws added to all
/// residuals (labels +-sigma and sampled residuals have no such sums).
Hierarchy levels_in_eta(const Problem&, const discrete::Algorithm& finest, const TestFunction&, double time,
                        std::size_t levels, const ensemble::Control&);

/// P = g(zeta) at `time`, Euler-Maruyama. Level l has 2^l times `coarsest_steps` steps.
Hierarchy levels_in_dt(const Problem&, const slow::Parameters&, const TestFunction&, double time, long coarsest_steps,
                       std::size_t levels, std::uint64_t seed, const ensemble::Control&);

/// The estimate, with its costs in gradient evaluations.
struct Multilevel {
  std::vector<LevelMoments> levels;
  double mean = 0, standard_error = 0;  ///< of E P_L
  double cost = 0;
  double plain_cost = 0;  ///< of plain Monte Carlo on the last level for the same standard error
  double gain() const { return plain_cost / cost; }
};

/// `pilot` paths of each level give the variances; then as many more as the goal needs.
Multilevel multilevel(const Hierarchy&, double standard_error, long pilot = 512);

}  // namespace sde::verify
