// What a claim of the theory is (theory: docs/theory.md, "The claims"), and the lines that its measurement gives.
// One claim, one file: claim_N_*.cpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sde/ensemble/method.hpp"
#include "sde/stats/equivalence.hpp"

namespace sde::claims {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One measured number beside its prediction.
struct Row {
  int claim = 0;
  std::string loss, quantity;
  double measured = 0, predicted = 0;
  double standard_error = 0;  ///< of measured - predicted: the Monte Carlo error
  double low = 0, high = 0;   ///< the margin of measured - predicted
  double step_error = 0;      ///< time-step error of the SDE integrator that the extrapolation removed
  double gradients = 0;       ///< cost
  bool control = false;       ///< a wrong prediction, which must be rejected
  int of = 1;                 ///< measurements that this one, the worst, stands for

  double difference() const { return measured - predicted; }
  /// A control is rejected where the measurement lies 5 standard errors outside the margin around it.
  bool rejected() const { return difference() - high > 5 * standard_error || low - difference() > 5 * standard_error; }
  stats::Judged judged() const { return {difference(), standard_error, low, high, of}; }
};

/// A point of a claim's figure.
struct Point {
  std::string series;
  double x = 0, y = 0, error = 0;
};

struct Measured {
  std::vector<Row> rows;
  std::vector<Point> points;
  std::vector<std::string> notes;  ///< what else was seen, a sentence each
};

/// How much to spend: factors of the numbers of paths, of the half-widths of the margins, and of the learning rates.
struct Setting {
  double effort = 1, margin = 1, eta = 1;
  std::uint64_t seed = 1;
  ensemble::Control control;
  /// In whole blocks of the ensemble.
  long paths(long base) const { return 64 * std::max<long>(1, std::lround(effort * static_cast<double>(base) / 64)); }
};

struct Claim {
  int number;
  std::string title;
  std::string source;    ///< section or theorem
  std::string measured;  ///< the quantity
  std::string margin;    ///< in words, at margin = 1
  std::vector<std::string> losses;
  std::string elsewhere;  ///< why it does not apply to the other losses
  Measured (*measure)(const Setting&, const std::string& loss);
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
Claim negative_controls();

}  // namespace sde::claims
