// Weighted least squares of a straight line: orders of convergence from log-log points.
#pragma once

#include <vector>

namespace sde::stats {

/// y = intercept + slope x by weights 1/error^2. slope_error is the standard error that the points' own errors give;
/// where they scatter more than that, the scatter's, times t/1.96 (t: Student's 97.5% quantile of n - 2), so +-1.96
/// slope_error is a 95% interval either way.
struct Line {
  double slope, intercept, slope_error, chi2;
};
/// Fits a line to points with standard errors; at least two points.
Line fit_line(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& error);

/// Order of convergence: slope of log(value) against log(step); errors of value are carried over by the delta method.
Line fit_order(const std::vector<double>& step, const std::vector<double>& value, const std::vector<double>& error);

/// y = C x^order by weighted least squares on y itself, so points that noise has made small, zero or of the other sign
/// need no logarithm. `low` and `high` bound the 95% interval of the order: where the profile of chi2 over the order
/// has risen by 3.84, or by t^2 chi2/(n-2) where the points scatter more than their errors; infinite where it does not
/// rise within [-2, 6].
struct Power {
  double order, low, high, factor, chi2;
};
/// Fits a power to points with standard errors, x > 0.
Power fit_power(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& error);

}  // namespace sde::stats
