// Observables that are polynomials of the coordinates, as written in an experiment file: "x1", "x1^2 - x2^2",
// "0.5*x1*x3".
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sde::ensemble {

/// A sum of terms.
struct Polynomial {
  /// coefficient times a product of powers of coordinates.
  struct Term {
    double coefficient = 1;
    std::vector<std::pair<int, int>> powers;  ///< (coordinate from 0, exponent)
  };
  std::string text;
  std::vector<Term> terms;

  /// Throws std::invalid_argument with the place and what was expected, for coordinates x1 .. x<dim>.
  static Polynomial parse(const std::string& text, int dim);
  double operator()(const double* x) const;
};

}  // namespace sde::ensemble
