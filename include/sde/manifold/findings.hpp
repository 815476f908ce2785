// What Gamma is like at a point of it, and whether the theory applies there: it asks for minima, for a Hessian of one
// rank along Gamma (theory.md section 1), and for eigenvalues that are either zero or not.
#pragma once

#include <string>
#include <vector>

#include "sde/manifold/spectrum.hpp"

namespace sde::manifold {

/// What is found at a point p of Gamma, and on Gamma around it.
struct Findings {
  int dim = 0;                  ///< d
  int residuals = 0;            ///< n of a squared loss, 0 of any other
  bool interpolating = false;   ///< the residuals vanish there
  double largest_residual = 0;  ///< max |f_i|
  int rank = 0;                 ///< of the Hessian: eigenvalues beyond +-kNullThreshold times the largest
  int negative = 0;             ///< those of them that are negative
  double least = 0;             ///< the least eigenvalue where one is negative, else 0
  double smallest = 0;          ///< positive eigenvalue that is not zero; 0 without any
  double largest = 0;           ///< eigenvalue
  double scale = 0;             ///< the largest |eigenvalue|, by which one counts as zero
  double greatest_zero = 0;     ///< |eigenvalue| that counts as zero

  // Of points of Gamma beside p, on a common scale of all: what is zero beside the largest eigenvalue of any of them.
  int sought = 0, neighbours = 0;  ///< from how many places, and of how many points what follows is beside p
  double reach = 0;                ///< how far they are from p
  int least_rank = 0, most_rank = 0;
  double least_smallest = 0, most_smallest = 0;  ///< range of the smallest eigenvalue that is not zero

  /// Dimension of the Hessian's null space: that of Gamma, where the rank is the same around p.
  int dim_gamma() const { return dim - rank; }
};

/// What is found at x[d], a point of Gamma. One eigenproblem: of the smaller of n and d where residuals vanish
/// (`interpolating`), else of d.
Findings findings(const LossModel& model, const double* x, bool interpolating);

/// How far from x points beside it are looked for, over 1 + |x|.
inline constexpr double kReach = 0.01;

/// The same with a few points of Gamma beside x: those that Newton's method finds from kReach (1 + |x|) to both sides
/// of it, along fixed tangent directions; 16, down to 2 the larger the problem, and none where that would take seconds
/// (an eigenproblem of more than 360).
Findings findings_around(const LossModel& model, const double* x, bool interpolating);
/// "dimension 1 of 2, Hessian of rank 1, eigenvalue 4.25; residuals vanish"
std::string describe(const Findings&);

/// Where the theory does not apply, or not well: what was found, what it means, what to do. A line each.
std::vector<std::string> warnings(const Findings&);

}  // namespace sde::manifold
