// A loss as formulas: what a user wrote, and the programs that follow from it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sde/formula/evaluate.hpp"
#include "sde/formula/graph.hpp"

namespace sde::formula {

/// A loss of theta = the variables, in order: 1/(2n) sum f_i^2 over `residuals` for each row of the data, or, where
/// there are none, `value`.
struct LossSystem {
  Graph graph;
  std::vector<std::string> variables;   ///< names of the coordinates: "x", "w[3]"
  std::vector<std::string> parameters;  ///< names
  std::vector<std::string> columns;     ///< names of the numbers of a row
  std::vector<Id> residuals;
  Id value = -1;
  std::vector<Id> slopes;  ///< grad L of a row, once programs_of() has made it
  bool by_row = false;     ///< residuals are of rows of data; the last parameter is the number of residuals in any case

  int dim() const { return static_cast<int>(variables.size()); }
  bool squared() const { return !residuals.empty(); }
};

/// The programs of a loss, named as the members of a loss are (loss/concepts.hpp). Those of a loss that is not squared
/// are empty for one that is, and the other way round.
struct LossPrograms {
  Program residuals, jacobian, pullback, weighted_hvp;
  Program value, hessian_vector, hessian, third_along;
  Program gradient;
  /// a, b, c of a t^2 + 2 b t + c, which vanishes where theta + t direction is on Gamma; empty where the residual does
  /// not say so.
  Program intersection;
  Scalars scalars;
  int dim = 0;
  int residuals_per_row = 0;
};

/// Throws InputError where they become too large.
LossPrograms programs_of(LossSystem&);

/// The doubles of programs at these parameters and rows of data (rows * system.columns.size() numbers). Throws
/// InputError where one of them is not finite.
Numbers numbers_of(const LossSystem&, const LossPrograms&, const std::vector<double>& parameters,
                   const std::vector<double>& data);

/// A formula with its numbers: what a loss is evaluated from (loss/formula.hpp).
struct BoundLoss {
  LossPrograms programs;
  Numbers numbers;
  Program test_error;  ///< empty where there is none
  Numbers test_numbers;
  /// not_finite() of this loss.
  std::function<std::string(const std::vector<double>& theta)> not_finite;
};

/// Where a loss or its gradient stops being a number at theta: "1/x is inf", the first subexpression that is not finite
/// though what it is made of is; empty where there is none.
std::string not_finite(const LossSystem&, const std::vector<double>& parameters, const std::vector<double>& data,
                       const std::vector<double>& theta);

}  // namespace sde::formula
