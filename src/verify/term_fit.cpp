#include "sde/verify/term_fit.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

namespace sde::verify {

namespace {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

TermSums& operator+=(TermSums& a, const TermSums& b) {
  for (std::size_t i = 0; i < a.zx.size(); ++i) a.zx[i] += b.zx[i];
  for (std::size_t i = 0; i < a.zy.size(); ++i) a.zy[i] += b.zy[i];
  a.squares += b.squares;
  a.expected += b.expected;
  return a;
}
TermSums operator-(TermSums a, const TermSums& b) {
  for (std::size_t i = 0; i < a.zx.size(); ++i) a.zx[i] -= b.zx[i];
  for (std::size_t i = 0; i < a.zy.size(); ++i) a.zy[i] -= b.zy[i];
  a.squares -= b.squares;
  a.expected -= b.expected;
  return a;
}

/// z_i . x_j
double product(const TermSums& s, std::size_t i, std::size_t j) { return s.zx[i * kDriftTerms + j]; }

/// An estimate from all blocks, and its standard error from those that leave one block out.
struct Estimate {
  double value, error;
};
Estimate jackknife(const std::vector<TermSums>& blocks, const TermSums& all,
                   const std::function<double(const TermSums&)>& estimate) {
  const auto n = static_cast<double>(blocks.size());
  double mean = 0;
  std::vector<double> without;
  for (const auto& b : blocks) mean += without.emplace_back(estimate(all - b)) / n;
  double squares = 0;
  for (const double x : without) squares += (x - mean) * (x - mean);
  return {estimate(all), std::sqrt((n - 1) / n * squares)};
}

/// The terms that are there. A part of rounding errors is none.
std::vector<std::size_t> present(const TermSums& all) {
  constexpr double kNothing = 1e-16;  // of squares
  double largest = 0;
  for (std::size_t j = 0; j < kDriftTerms; ++j) largest = std::max(largest, product(all, j, j));
  std::vector<std::size_t> there;
  for (std::size_t j = 0; j < kDriftTerms; ++j)
    if (product(all, j, j) > kNothing * largest) there.push_back(j);
  return there;
}

/// Factors of the terms `there`, all at once.
Vector solve(const TermSums& s, const std::vector<std::size_t>& there) {
  const auto k = static_cast<Eigen::Index>(there.size());
  Matrix A(k, k);
  Vector b(k);
  for (Eigen::Index i = 0; i < k; ++i) {
    const auto row = there[static_cast<std::size_t>(i)];
    b[i] = s.zy[row];
    for (Eigen::Index j = 0; j < k; ++j) A(i, j) = product(s, row, there[static_cast<std::size_t>(j)]);
  }
  return A.partialPivLu().solve(b);
}

/// Whether the terms are told from each other at all: the cosine matrix of their vectors has full rank.
bool told_apart(const TermSums& s, const std::vector<std::size_t>& there) {
  const auto k = static_cast<Eigen::Index>(there.size());
  Matrix cosine(k, k);
  for (Eigen::Index i = 0; i < k; ++i)
    for (Eigen::Index j = 0; j < k; ++j) {
      const auto a = there[static_cast<std::size_t>(i)], b = there[static_cast<std::size_t>(j)];
      cosine(i, j) = 0.5 * (product(s, a, b) + product(s, b, a)) / std::sqrt(product(s, a, a) * product(s, b, b));
    }
  return k == 0 || Eigen::SelfAdjointEigenSolver<Matrix>(cosine, Eigen::EigenvaluesOnly).eigenvalues()[0] > 1e-9;
}

}  // namespace

std::vector<TermFactor> fit_terms(const std::vector<TermSums>& blocks, const std::array<double, 5>& has) {
  if (blocks.size() < 8) throw std::invalid_argument("term fit: expected at least 8 blocks of paths");
  TermSums all;
  for (const auto& b : blocks) all += b;
  static const char* const kNames[] = {"drift-I", "drift-II", "tangent-normal blocks", "normal Ito", "diffusion"};
  std::vector<TermFactor> factors;
  for (std::size_t j = 0; j < has.size(); ++j) factors.push_back({.name = kNames[j], .has = has[j]});

  const auto there = present(all);
  const bool apart = told_apart(all, there);
  const auto tangent_normal = static_cast<std::size_t>(DriftTerm::tangent_normal);
  // The tangent-normal blocks are in both drifts: what comes beside those is their factor less 1.
  const auto shift = [&](std::size_t j) { return j == tangent_normal ? 1.0 : 0.0; };
  for (std::size_t place = 0; place < there.size(); ++place) {
    const auto j = there[place];
    auto& f = factors[j];
    f.present = true;
    const auto joint = jackknife(blocks, all, [&](const TermSums& s) {
      return shift(j) + (apart ? solve(s, there)[static_cast<Eigen::Index>(place)] : 0.0);
    });
    f.value = joint.value;
    f.error = apart ? joint.error : std::numeric_limits<double>::infinity();
    // With the others as the slow SDE has them.
    const auto alone = jackknife(blocks, all, [&](const TermSums& s) {
      double rest = s.zy[j];
      for (const auto i : there)
        if (i != j) rest -= (has[i] - shift(i)) * product(s, j, i);
      return shift(j) + rest / product(s, j, j);
    });
    f.alone = alone.value;
    f.alone_error = alone.error;
  }
  auto& diffusion = factors.back();
  if ((diffusion.present = all.expected > 0)) {
    const auto ratio = jackknife(blocks, all, [](const TermSums& s) { return s.squares / s.expected; });
    diffusion.value = diffusion.alone = ratio.value;
    diffusion.error = diffusion.alone_error = ratio.error;
  }
  return factors;
}

}  // namespace sde::verify
