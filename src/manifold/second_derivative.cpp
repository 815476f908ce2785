#include "sde/manifold/second_derivative.hpp"

namespace sde::manifold {

Difference second_derivative(FlowMap& flow, const Vector& p, const Vector& u) {
  const auto at = [&](double s) {
    Vector x = p + s * u;
    flow(x.data());
    return x;
  };
  const auto quotient = [&](double h) -> Vector { return (at(h) - 2 * p + at(-h)) / (h * h); };
  const double h = 5e-3 / (1 + u.norm());
  const Vector q1 = quotient(h), q2 = quotient(2 * h), q4 = quotient(4 * h);
  const Vector value = (64 * q1 - 20 * q2 + q4) / 45;
  return {value, (value - (4 * q1 - q2) / 3).cwiseAbs()};
}

}  // namespace sde::manifold
