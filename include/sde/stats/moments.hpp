// Streaming central moments up to the fourth (Pebay 2008), mergeable. Merging in a fixed order gives the same bits
// whatever thread computed which part.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sde/core/target.hpp"

namespace sde::stats {

/// Mean and central moments of what was added, without keeping it.
struct Moments {
  double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;

  SDE_DEVICE void add(double x) { merge({1, x, 0, 0, 0}); }
  SDE_DEVICE void merge(const Moments& b) {
    if (b.n == 0) return;
    if (n == 0) {
      *this = b;
      return;
    }
    const double total = n + b.n, delta = b.mean - mean, d2 = delta * delta;
    const double ab = n * b.n;
    m4 += b.m4 + d2 * d2 * ab * (n * n - ab + b.n * b.n) / (total * total * total) +
          6 * d2 * (n * n * b.m2 + b.n * b.n * m2) / (total * total) + 4 * delta * (n * b.m3 - b.n * m3) / total;
    m3 += b.m3 + d2 * delta * ab * (n - b.n) / (total * total) + 3 * delta * (n * b.m2 - b.n * m2) / total;
    m2 += b.m2 + d2 * ab / total;
    mean += delta * b.n / total;
    n = total;
  }
  /// Unbiased; not a number for fewer than two values.
  double variance() const { return n > 1 ? m2 / (n - 1) : std::numeric_limits<double>::quiet_NaN(); }
  double standard_error() const { return std::sqrt(variance() / n); }
  /// Standard error of variance(): sqrt((mu4 - (n-3)/(n-1) s^4)/n).
  double variance_error() const {
    const double s2 = variance();
    return std::sqrt(std::max(0.0, (m4 / n - (n - 3) / (n - 1) * s2 * s2) / n));
  }

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& n& mean& m2& m3& m4;
  }
};

/// Entry by entry, of tables of one shape: vectors, or vectors of vectors, of what can be merged.
template <class T>
void merge(std::vector<T>& into, const std::vector<T>& from) {
  for (std::size_t i = 0; i < into.size(); ++i)
    if constexpr (requires { into[i].merge(from[i]); })
      into[i].merge(from[i]);
    else
      merge(into[i], from[i]);
}

}  // namespace sde::stats
