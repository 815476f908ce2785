// A linear algorithm's slow SDE as its step loop takes it: the weights as a table (weight_table.hpp), computed once.
#pragma once

#include <vector>

#include "sde/slow/linear_algorithm.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {

/// What tabulated() gives. Of an algorithm at eta = 1 and b = 1 it holds for every eta (x = eta lambda) and b.
class TabulatedWeights {
 public:
  /// Throws InputError where the algorithm is stable at no eigenvalue above 0, or no table of 64 terms in each variable
  /// comes within kError.
  explicit TabulatedWeights(FluctuationWeights of_unit_rate);
  TabulatedWeights(const TabulatedWeights&) = delete;

  /// The largest error of a ratio that is looked for, over the ratio.
  static constexpr double kError = 1e-10;

  /// What stands in psi's place, in the slow time (eta c)^2 a step, c the effective rate over eta: for the rate eta and
  /// the batch b of one gradient. `workers` and `alpha` are what tables print.
  Parameters parameters(double eta, double b, int workers, double alpha) const;
  /// The largest error found between the nodes.
  double error() const { return error_; }
  /// x = eta lambda up to which the algorithm is stable; infinity where no x up to 1e3 is unstable.
  double stable_below() const { return stable_below_; }
  /// The weights themselves, at eta = 1 and b = 1.
  const FluctuationWeights& exact() const { return exact_; }
  /// 2 b (x + y) w, what the table holds: from `exact`.
  double ratio(double x, double y) const;

 private:
  double Q(double x, double y, double mixed_x, double mixed_y) const;
  double Q(double x, double y) const;
  void set_scale(double scale);
  int terms_along_lines() const;
  bool choose_scale();
  void tabulate(int terms);
  double worst_between_nodes() const;
  double x_of(double t) const;

  FluctuationWeights exact_;
  double stable_below_ = 0, error_ = 0;
  std::vector<double> coefficients_;
  WeightTable table_;
};

/// The weights of an algorithm, made at the first call with its matrices and kept. From any thread. eta and batch of
/// the argument do not matter. Throws as TabulatedWeights.
const TabulatedWeights& tabulated(const ExchangeableAlgorithm&);
/// As above, of an algorithm whose workers are not exchangeable.
const TabulatedWeights& tabulated(const LinearAlgorithm&);

}  // namespace sde::slow
