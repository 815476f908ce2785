// Where an algorithm ends elsewhere than its slow SDE by more than sampling explains.
#pragma once

#include <string>
#include <vector>

#include "../experiment/pairs.hpp"

namespace sde::cli {

/// One algorithm beside a slow SDE or ODE of its group, at the algorithm's end.
struct FiniteEta {
  std::string algorithm, theory;
  double value;                       ///< the algorithm's mean
  double difference, standard_error;  ///< of the means, algorithm - theory
  /// In half-widths of the 95% interval.
  double intervals() const;
};

/// Differences of tr Hess that are many times the Monte Carlo interval, of rows that lost no path: on common noise
/// where there is a pair, else of the rows, the theory's mean at the algorithm's own end, between its observations.
std::vector<FiniteEta> finite_eta_errors(const experiment::Experiment&, const std::vector<ensemble::MethodResult>&,
                                         const experiment::PairResults&);

}  // namespace sde::cli
