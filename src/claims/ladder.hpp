// One algorithm at a ladder of learning rates, beside its slow SDEs: where a prediction is furthest off, how large the
// error is over all times and functions, and with which order of eta it falls (claim 4).
#pragma once

#include "measuring.hpp"
#include "sde/stats/fit.hpp"

namespace sde::claims {

/// What a run of its own at the largest rate decides before the others are looked at: the scale of each g (the size of
/// its change and its standard deviation), and where a prediction is furthest off on that scale.
struct Choice {
  std::vector<double> scale;
  std::size_t time = 0, function = 0;
};
Choice choose(const verify::PairedResult& pilot, std::size_t prediction);

/// max over s and g of |gap| on the scale of each g, and an upper bound that holds for all at once (97.5%).
struct Largest {
  double value = 0, bound = 0;
  std::size_t time = 0, function = 0;  ///< where the value is
};
Largest largest(const verify::PairedResult&, const Choice&, std::size_t prediction);

/// The runs of a ladder, and what was chosen before they were looked at.
struct Ladder {
  std::vector<double> eta;  ///< falling
  std::vector<verify::PairedResult> runs;
  std::size_t first = 0;   ///< the rates before it lost paths: they have no part in an order
  Choice choice, without;  ///< where the theory, and where the theory without drift-II, is furthest off
  stats::Power order, refined;
  double gradients = 0;

  /// Function choice.function at choice.time, algorithm minus prediction.
  const stats::Moments& gap(std::size_t rate, std::size_t prediction) const {
    return runs[rate].gap[prediction][choice.time][choice.function];
  }
  /// Order in eta of a prediction's error where it was chosen to be looked at.
  stats::Power order_of(std::size_t prediction, const Choice&) const;
};

/// Predictions of each run.
enum { kTheory, kRefined, kWithoutDrift2 };

/// Runs the case's design of claim 4.
Ladder climb(const Setting&, const Case&, Measured&);

/// A row about the order of the weak error.
Row order_row(const Case&, const std::string& quantity, const stats::Power&, double gradients);

/// The error at the rate that the case asks about (WeakErrorDesign::own), and a sentence that says whether it is one of
/// finite eta.
void own_rate(const Setting&, const Case&, const Ladder&, Measured&);
/// Why the order cannot be told there, if so: no error is seen; else empty.
std::string order_hidden(const Case&, const Ladder&);
/// The same of the control, drift-II dropped.
std::string drift_2_hidden(const Case&, const Ladder&);

}  // namespace sde::claims
