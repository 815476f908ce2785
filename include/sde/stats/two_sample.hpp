// Two samples: do they have the same law? Statistics with p-values by permutation, exact at any sample size.
#pragma once

#include <cstdint>
#include <vector>

namespace sde::stats {

/// A test of whether two samples have one law.
struct TwoSample {
  double statistic;
  double p;  ///< of "same law": (1 + permutations with a statistic at least as large) / (1 + permutations)
};

/// Largest distance of the empirical distribution functions (Kolmogorov, Smirnov).
double ks_distance(const std::vector<double>& a, const std::vector<double>& b);
/// The Kolmogorov-Smirnov distance of two samples, its p-value by `permutations` random relabellings.
TwoSample ks_test(const std::vector<double>& a, const std::vector<double>& b, int permutations, std::uint64_t seed);

/// Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| of points in any dimension (Szekely, Rizzo 2013): 0 only for
/// equal laws. a[point][coordinate]; memory (points of both)^2.
TwoSample energy_test(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b,
                      int permutations, std::uint64_t seed);

}  // namespace sde::stats
