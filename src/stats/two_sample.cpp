#include "sde/stats/two_sample.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace sde::stats {

namespace {

/// `first[i]`: the i-th smallest (or i-th) value belongs to the first sample.
using Labels = std::vector<char>;

/// p-value of statistic(labels), by random relabelling.
template <class Statistic>
TwoSample permute(Labels labels, int permutations, std::uint64_t seed, Statistic statistic) {
  const double observed = statistic(labels);
  std::mt19937_64 engine(seed);
  int as_large = 0;
  for (int i = 0; i < permutations; ++i) {
    std::shuffle(labels.begin(), labels.end(), engine);
    as_large += statistic(labels) >= observed;
  }
  return {observed, (1.0 + as_large) / (1.0 + permutations)};
}

struct Pooled {
  std::vector<double> value;  ///< ascending
  Labels first;
};
Pooled pool(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, char>> all;
  for (const double x : a) all.emplace_back(x, 1);
  for (const double x : b) all.emplace_back(x, 0);
  std::sort(all.begin(), all.end());
  Pooled p;
  for (const auto& [x, first] : all) {
    p.value.push_back(x);
    p.first.push_back(first);
  }
  return p;
}

double largest_distance(const std::vector<double>& value, const Labels& first, double na, double nb) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    difference += first[i] ? 1 / na : -1 / nb;
    if (i + 1 == value.size() || value[i + 1] != value[i]) largest = std::max(largest, std::abs(difference));
  }
  return largest;
}

}  // namespace

double ks_distance(const std::vector<double>& a, const std::vector<double>& b) {
  const Pooled p = pool(a, b);
  return largest_distance(p.value, p.first, static_cast<double>(a.size()), static_cast<double>(b.size()));
}

TwoSample ks_test(const std::vector<double>& a, const std::vector<double>& b, int permutations, std::uint64_t seed) {
  const Pooled p = pool(a, b);
  // Rounding in the sums must not decide between equal distances.
  return permute(p.first, permutations, seed, [&](const Labels& first) {
    return std::round(1e9 *
                      largest_distance(p.value, first, static_cast<double>(a.size()), static_cast<double>(b.size()))) /
           1e9;
  });
}

TwoSample energy_test(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b,
                      int permutations, std::uint64_t seed) {
  std::vector<const std::vector<double>*> all;
  for (const auto& x : a) all.push_back(&x);
  for (const auto& x : b) all.push_back(&x);
  const std::size_t n = all.size();
  std::vector<float> distance(n * n);
  double total = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < all[i]->size(); ++k) sum += std::pow((*all[i])[k] - (*all[j])[k], 2);
      distance[i * n + j] = static_cast<float>(std::sqrt(sum));
      total += std::sqrt(sum);
    }
  Labels labels(n, 0);
  std::fill_n(labels.begin(), a.size(), char{1});
  const auto na = static_cast<double>(a.size()), nb = static_cast<double>(b.size());
  std::vector<std::size_t> ia, ib;
  return permute(labels, permutations, seed, [&](const Labels& first) {
    ia.clear();
    ib.clear();
    for (std::size_t i = 0; i < n; ++i) (first[i] ? ia : ib).push_back(i);
    double aa = 0, bb = 0;
    for (const auto i : ia)
      for (const auto j : ia) aa += distance[i * n + j];
    for (const auto i : ib)
      for (const auto j : ib) bb += distance[i * n + j];
    const double ab = 0.5 * (total - aa - bb);
    return 2 * ab / (na * nb) - aa / (na * na) - bb / (nb * nb);
  });
}

}  // namespace sde::stats
