// What a claim of the theory is (theory: docs/theory.md, "The claims"), and the lines that its measurement gives.
// One claim, one file: claim_N_*.cpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "case.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/stats/equivalence.hpp"

namespace sde::claims {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One measured number beside its prediction.
struct Row {
  int claim = 0;
  std::string name, quantity;  ///< of the case, and what is measured
  double measured = 0, predicted = 0;
  double standard_error = 0;  ///< of measured - predicted: the Monte Carlo error
  double low = 0, high = 0;   ///< the margin of measured - predicted
  double step_error = kNone;  ///< time-step error of the SDE integrator that the extrapolation removed
  double gradients = 0;       ///< of the runs that the row stands on
  double lost = 0;            ///< share of the paths that were lost
  bool control = false;       ///< a wrong prediction, which must be rejected
  int of = 1;                 ///< measurements that this one, the worst, stands for
  bool scales = true;         ///< the error falls like 1/sqrt(gradients)

  /// No verdict on what is left where more than this share of the paths is lost.
  static constexpr double kMostLost = 0.001;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& claim& name& quantity& measured& predicted& standard_error& low& high& step_error& gradients& lost& control& of&
        scales;
  }

  double difference() const { return measured - predicted; }
  stats::Judged judged() const { return {difference(), lost > kMostLost ? kNone : standard_error, low, high, of}; }
  /// A control is rejected where the measurement lies 5 standard errors outside the margin around it.
  bool rejected() const {
    const auto j = judged();
    return j.difference - high > 5 * j.standard_error || low - j.difference > 5 * j.standard_error;
  }
};

/// A point of a claim's figure.
struct Point {
  std::string series;
  double x = 0, y = 0, error = 0;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& series& x& y& error;
  }
};

/// What does not apply on a case, and why.
struct Skipped {
  std::string quantity, reason;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& quantity& reason;
  }
};

struct Measured {
  std::vector<Row> rows;
  std::vector<Row> cells;  ///< what rows "worst of n" were chosen from
  std::vector<Point> points;
  std::vector<std::string> notes;  ///< what else was seen, a sentence each
  std::vector<Skipped> skipped;
  double gradients = 0;  ///< of all runs, each counted once

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& rows& cells& points& notes& skipped& gradients;
  }
};

/// How much to spend: factors of the numbers of paths, of the half-widths of the margins, and of the learning rates.
struct Setting {
  double effort = 1, margin = 1, eta = 1;
  std::uint64_t seed = 1;
  ensemble::Control control;
  /// In whole blocks of the ensemble.
  long paths(long base) const { return 64 * std::max<long>(1, std::lround(effort * static_cast<double>(base) / 64)); }
  /// Which of several cases on one problem is measured (Case::stream).
  int stream = 0;
  /// Seed of run number `run` of a claim: no two runs, no two streams, and no two seeds, share random numbers.
  std::uint64_t seed_of(int claim, int run) const {
    std::uint64_t z = seed * 0x9E3779B97F4A7C15ull + static_cast<std::uint64_t>(claim) * 1'000'003ull +
                      static_cast<std::uint64_t>(run) * 0xD1B54A32D192ED03ull +  // splitmix64's mixing
                      static_cast<std::uint64_t>(stream) * 0xA24BAED4963EE407ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
};

struct Claim {
  int number;
  std::string title;
  std::string source;     ///< section or theorem
  std::string measured;   ///< the quantity
  std::string margin;     ///< in words, at margin = 1
  std::string elsewhere;  ///< why the other cases of the shipped table are not measured, or why it does not apply there
  Measured (*measure)(const Setting&, const Case&);
};

/// In the order of their numbers.
const std::vector<Claim>& all();

Claim on_manifold_terms();
Claim drift();
Claim diffusion();
Claim weak_error();
Claim distance();
Claim limits();
Claim label_noise();
Claim time_scales();
Claim linear_scaling();
Claim generalization();
Claim quadratic_rule();
Claim less_diffusion();
Claim negative_controls();
Claim other_algorithms_claim();

}  // namespace sde::claims
