#include "sde/stats/fit.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace sde::stats {

namespace {

/// Factor of a standard error that the points' own errors give: 1, or where they scatter more than that, the scatter's,
/// with Student's quantile over the normal one because n - 2 points estimate it.
double inflation(double chi2, std::size_t n) {
  if (n <= 2 || chi2 <= static_cast<double>(n - 2)) return 1;
  const boost::math::students_t t(static_cast<double>(n - 2));
  return std::sqrt(chi2 / static_cast<double>(n - 2)) * boost::math::quantile(t, 0.975) / 1.959963984540054;
}

}  // namespace

Line fit_line(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& error) {
  double sw = 0, sx = 0, sy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double w = 1 / (error[i] * error[i]);
    sw += w, sx += w * x[i], sy += w * y[i];
  }
  const double mx = sx / sw, my = sy / sw;
  double sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double w = 1 / (error[i] * error[i]);
    sxx += w * (x[i] - mx) * (x[i] - mx), sxy += w * (x[i] - mx) * (y[i] - my);
  }
  Line line{};
  line.slope = sxy / sxx;
  line.intercept = my - line.slope * mx;
  for (std::size_t i = 0; i < x.size(); ++i)
    line.chi2 += std::pow((y[i] - line.intercept - line.slope * x[i]) / error[i], 2);
  line.slope_error = inflation(line.chi2, x.size()) / std::sqrt(sxx);
  return line;
}

Line fit_order(const std::vector<double>& step, const std::vector<double>& value, const std::vector<double>& error) {
  std::vector<double> x, y, e;
  for (std::size_t i = 0; i < step.size(); ++i) {
    x.push_back(std::log(step[i]));
    y.push_back(std::log(std::abs(value[i])));
    e.push_back(error[i] / std::abs(value[i]));
  }
  return fit_line(x, y, e);
}

Power fit_power(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& error) {
  constexpr double kLeast = -2, kMost = 6;
  const auto profile = [&](double order, double* factor) {
    double xy = 0, xx = 0, chi2 = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double m = std::pow(x[i] / x.back(), order), w = 1 / (error[i] * error[i]);
      xy += w * m * y[i], xx += w * m * m;
    }
    for (std::size_t i = 0; i < x.size(); ++i)
      chi2 += std::pow((y[i] - xy / xx * std::pow(x[i] / x.back(), order)) / error[i], 2);
    if (factor) *factor = xy / xx * std::pow(x.back(), -order);
    return chi2;
  };
  Power fit{0, -INFINITY, INFINITY, 0, INFINITY};
  constexpr int kCells = 8000;
  const auto at = [&](int i) { return kLeast + (kMost - kLeast) * i / kCells; };
  std::vector<double> chi2(kCells + 1);
  int best = 0;
  for (int i = 0; i <= kCells; ++i) {
    chi2[i] = profile(at(i), nullptr);
    if (chi2[i] < chi2[best]) best = i;
  }
  fit.order = at(best);
  fit.chi2 = profile(fit.order, &fit.factor);
  const double limit = fit.chi2 + 3.841459 * std::pow(inflation(fit.chi2, x.size()), 2);
  for (int i = best; i >= 0 && fit.low == -INFINITY; --i)
    if (chi2[i] > limit) fit.low = at(i);
  for (int i = best; i <= kCells && fit.high == INFINITY; ++i)
    if (chi2[i] > limit) fit.high = at(i);
  return fit;
}

}  // namespace sde::stats
