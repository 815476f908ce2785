// The discrete algorithms of an experiment beside their slow SDEs on common noise (verify/paired.hpp): what is run, and
// what comes of it.
#pragma once

#include "experiment.hpp"
#include "sde/verify/paired.hpp"

namespace sde::experiment {

/// Numbers of the slow SDEs and ODEs of a method's group.
std::vector<std::size_t> slow_sdes_beside(const Experiment&, const ensemble::Method&);

/// An algorithm with the slow SDEs and ODEs of its group.
struct Pair {
  std::size_t algorithm;            ///< number of its method
  std::vector<std::size_t> theory;  ///< numbers of theirs, in the order of the pairing's predictions
  verify::Pairing pairing;
  std::vector<long> place;  ///< [observation] number among the pairing's times; -1: at the start, or none of its own
};

/// An algorithm that has a slow SDE beside it, and cannot be put on common noise.
struct Unpaired {
  std::string name, reason;
};

struct PairPlan {
  std::vector<Pair> pairs;
  std::vector<Unpaired> others;
};

/// Every pair of the file, to whose methods it refers. The slow SDEs take steps of their method's dt, at most half the
/// time between observations, but at least a round.
PairPlan plan_pairs(const Experiment&);

/// What is compared at Phi(average) and at zeta: tr Hess, lambda_max, the test error where there is one, and the
/// polynomials. In the order of the pairing's functions, under the names of MethodResult::observables.
std::vector<std::string> pair_observables(const Experiment&);

/// Pairs and what came of them, one for one.
struct PairResults {
  const std::vector<Pair>& pairs;
  const std::vector<verify::PairedResult>& results;

  /// f(pair, result, p) for every pair and number p of a slow SDE in it.
  template <class F>
  void for_each_theory(F f) const {
    for (std::size_t i = 0; i < pairs.size(); ++i)
      for (std::size_t p = 0; p < pairs[i].theory.size(); ++p) f(pairs[i], results[i], p);
  }
};

/// Algorithm - slow SDE number `theory` of the pair at an observation: mean over paths, and its standard error.
struct Difference {
  double slow_time, mean, standard_error;
  double step_error;  ///< time-step error of the SDE that the extrapolation removed
};
/// At the start they are the same; not a number where two observations fall on one time of the pair.
Difference difference(const Pair&, const verify::PairedResult&, std::size_t theory, std::size_t observation,
                      std::size_t observable);

}  // namespace sde::experiment
