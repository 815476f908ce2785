#include "delay.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "sde/slow/linear_algorithms.hpp"

namespace sde::slow {

std::optional<long> delay_of(const LinearAlgorithm& a) {
  const auto S = a.consensus.size();
  if (S == 0 || a.period.size() != 1) return std::nullopt;
  const auto& step = a.period.front();
  if (step.C.cols() != 1 || step.C.rows() != S || step.R.rows() != 1 || step.R.cols() != S) return std::nullopt;
  const auto like = delayed(1, 1, static_cast<int>(S - 1));
  const auto& other = like.period.front();
  if (step.A.rows() != S || step.A.cols() != S || a.consensus != like.consensus || a.local_steps != 1 ||
      step.A != other.A || step.C != other.C || step.R != other.R)
    return std::nullopt;
  return S - 1;
}

// r_m = E[u_(k+m) v_k], m = -D .. D, obeys r_(m+1) = r_m - a r_(m-D) for m >= 0, and r_(-m-1) = r_(-m) - b r_(D-m). So
// (f, g)_m = (r_m, r_(m-D)) goes by one matrix of determinant 1 and trace 2 - a b = 2 cos theta:
//     (f, g)_(m+1) = (1, -a; b, 1 - a b) (f, g)_m,        f_0 = g_D = r_0.
// With its power D and r_0 = E[u_(k+1) v_(k+1)], which says b r_D + a r_(-D) - a b r_0 = 1, what follows is
//     r_0 = cos((D + 1/2) theta)/cos(theta/2) / (a + b - 2 sqrt(a b) sin((D + 1/2) theta)),  sin(theta/2) = sqrt(a
//     b)/2.
double delayed_covariance(double a, double b, long D) {
  for (const double x : {a, b})
    if (x > 0 && !(delayed_radius(x, D) < 1)) return std::numeric_limits<double>::quiet_NaN();
  const double root = std::sqrt(a * b), half = std::asin(root / 2);  // theta/2
  const double angle = (2.0 * static_cast<double>(D) + 1) * half;
  return std::cos(angle) / std::cos(half) / (a + b - 2 * root * std::sin(angle));
}

// A root z = r e^(i phi) has z^D (1 - z) = a. The triangle 0, 1, z has the angles phi, D phi and pi - (D + 1) phi, so
// that
//     r = sin(D phi)/sin((D + 1) phi),     |z - 1| = sin(phi)/sin((D + 1) phi),     a = r^D |z - 1|,
// which ascends with phi: that of the largest root is below pi/(D + 1). For a <= D^D/(D + 1)^(D + 1) it is real.
double delayed_radius(double a, long D) {
  if (D == 0) return std::abs(1 - a);
  const auto n = static_cast<double>(D);
  constexpr int kHalvings = 200;
  const auto halve = [](double low, double high, auto below) {
    for (int k = 0; k < kHalvings && low < high; ++k) {
      const double middle = 0.5 * (low + high);
      if (middle <= low || middle >= high) break;
      (below(middle) ? low : high) = middle;
    }
    return high;
  };
  if (std::log(a) <= n * std::log(n / (n + 1)) - std::log(n + 1))
    return halve(n / (n + 1), 1, [&](double z) { return n * std::log(z) + std::log1p(-z) > std::log(a); });
  const auto modulus = [&](double phi) { return std::sin(n * phi) / std::sin((n + 1) * phi); };
  return modulus(halve(0, std::numbers::pi / (n + 1), [&](double phi) {
    return n * std::log(modulus(phi)) + std::log(std::sin(phi) / std::sin((n + 1) * phi)) < std::log(a);
  }));
}

}  // namespace sde::slow
