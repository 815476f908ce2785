#include "sde/ensemble/diagonal_power.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "sde/model/dense_geometry.hpp"

namespace sde::ensemble {

std::optional<DiagonalPower> DiagonalPower::parse(const std::string& text) {
  constexpr std::string_view kBegin = "tr diag(Hess)";
  if (!text.starts_with(kBegin)) return std::nullopt;
  DiagonalPower p{text, 0};
  const char *from = text.data() + kBegin.size(), *const end = text.data() + text.size();
  const bool raised = from != end && *from == '^';
  const auto read = std::from_chars(raised ? from + 1 : end, end, p.power);
  if (read.ec != std::errc() || read.ptr != end || !(p.power > 0) || !std::isfinite(p.power))
    throw std::invalid_argument(
        fmt::format("'{}': expected tr diag(Hess)^q with a number q above 0, such as tr diag(Hess)^0.5", text));
  return p;
}

double DiagonalPower::operator()(const slow::Vector& diagonal) const {
  double sum = 0;
  for (const double h : diagonal) sum += h > 0 ? std::pow(h, power) : 0;
  return sum;
}

slow::Vector hessian_diagonal(const LossModel& model, const double* x, bool on_gamma) {
  const int d = model.dim(), n = model.residual_count();
  slow::Vector diagonal(d);
  if (model.at_points()) {
    slow::Vector unit = slow::Vector::Zero(d), column(d);
    for (int k = 0; k < d; ++k) {
      unit[k] = 1;
      model.hessian_vector(x, unit.data(), column.data());
      unit[k] = 0;
      diagonal[k] = column[k];
    }
    return diagonal;
  }
  if (!on_gamma || n == 0) return slow::hessian(model, x).diagonal();
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> J(n, d);
  model.jacobian(x, J.data());
  return J.colwise().squaredNorm().transpose() / n;
}

}  // namespace sde::ensemble
