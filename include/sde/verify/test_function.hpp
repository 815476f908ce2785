// The functions g on Gamma by which laws are compared.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sde/ensemble/polynomial.hpp"
#include "sde/model/smooth_function.hpp"
#include "sde/slow/point_terms.hpp"

namespace sde::verify {

using slow::Vector;

/// With u a smooth function of the coordinates (SmoothFunction; u and w may be shorter than x), else any. The
/// derivative of a smooth one switches the martingale control variate on.
struct TestFunction {
  std::string name;
  Vector u{}, w{}, centre{};
  bool bounded = false;
  /// g(x), where it is not smooth; the terms have been computed at x. Called by several threads at once.
  std::function<double(const Vector& x, const slow::PointTerms& terms)> value{};

  bool smooth() const { return u.size() > 0; }
  /// Refers to the numbers held here. Only for smooth().
  SmoothFunction flat() const;
  /// g(x); `terms` has been computed at x.
  double operator()(const Vector& x, const slow::PointTerms& terms) const;
};
TestFunction coordinate(int k);      ///< x_k
TestFunction square(int k);          ///< x_k^2
TestFunction product(int j, int k);  ///< x_j x_k
TestFunction bounded(int k);         ///< tanh(x_k): bounded, not a polynomial
TestFunction sharpness();            ///< tr Hess

/// A polynomial of degree 1, or of degree 2 that is a product of two linear forms (x1^2, x1*x2, x1^2 - x2^2), but for
/// its constant, which no increment shows. None for any other.
std::optional<TestFunction> test_function(const ensemble::Polynomial&);

}  // namespace sde::verify
