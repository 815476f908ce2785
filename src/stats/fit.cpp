#include "sde/stats/fit.hpp"

#include <algorithm>
#include <cmath>

namespace sde::stats {

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
  const double scatter = x.size() > 2 ? std::max(1.0, line.chi2 / static_cast<double>(x.size() - 2)) : 1.0;
  line.slope_error = std::sqrt(scatter / sxx);
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

}  // namespace sde::stats
