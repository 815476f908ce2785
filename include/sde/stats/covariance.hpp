// Covariances without a table of products: the moments of two quantities, of their sum and of their difference have all
// that a covariance and its standard error take.
#pragma once

#include "sde/stats/moments.hpp"

namespace sde::stats {

/// A covariance and the standard error of its estimate; not a number for fewer than two values.
struct Covariance {
  double value, standard_error;
};

/// Of x and y, of which all four saw the same values in the same order. Unbiased: cov(x, y) = (var(x + y) -
/// var(x - y))/4. Its variance is (mu22 - (n-2)/(n-1) cov^2 + var(x) var(y)/(n-1))/n, with mu22 = E dx^2 dy^2 from
/// (dx + dy)^4 + (dx - dy)^4 = 2 (dx^4 + 6 dx^2 dy^2 + dy^4); for y = x that is Moments::variance_error(). Rounding in
/// the differences is held to Cauchy and Schwarz's bounds, so that a quantity that does not move has covariance 0.
inline Covariance covariance(const Moments& x, const Moments& y, const Moments& sum, const Moments& difference) {
  const double n = x.n, bound = std::sqrt(x.variance() * y.variance());
  if (!(n > 1)) return {x.variance(), x.variance()};
  const double value = std::clamp((sum.variance() - difference.variance()) / 4, -bound, bound);
  const double fourth = ((sum.m4 + difference.m4) / 2 - x.m4 - y.m4) / (6 * n);
  const double mu22 = std::clamp(fourth, 0.0, std::sqrt(x.m4 / n * (y.m4 / n)));
  const double variance = (mu22 - (n - 2) / (n - 1) * value * value + bound * bound / (n - 1)) / n;
  return {value, std::sqrt(std::max(0.0, variance))};
}

}  // namespace sde::stats
