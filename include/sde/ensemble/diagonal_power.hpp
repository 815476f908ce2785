// The observable tr(diag(Hess)^q), as written in an experiment file: "tr diag(Hess)^0.5". Adam descends that of q = 1/2
// where SGD descends tr Hess, which is that of q = 1; AdamE, which divides by v^p, that of q = 1 - p (arXiv
// 2511.02773).
#pragma once

#include <optional>
#include <string>

#include "sde/model/model.hpp"

namespace sde::ensemble {

/// tr(diag(Hess)^power).
struct DiagonalPower {
  std::string text;
  double power = 0.5;

  /// None where the text does not begin as "tr diag(Hess)"; throws std::invalid_argument, with what was expected, where
  /// it does and is not "tr diag(Hess)^q" with a number q above 0.
  static std::optional<DiagonalPower> parse(const std::string& text);
  /// Of the Hessian's diagonal[d]. An entry below 0, as off a minimum or by rounding, counts as 0.
  double operator()(const slow::Vector& diagonal) const;
};

/// diag(Hess)[d] at x[d]. `on_gamma`: of a squared loss at a point where its residuals vanish, by their Jacobian; of a
/// model that is known at single points alone by d Hessian-vector products, over all its samples, as the file has
/// their labels; of any other the dense Hessian's.
slow::Vector hessian_diagonal(const LossModel&, const double* x, bool on_gamma);

}  // namespace sde::ensemble
