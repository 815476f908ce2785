#include "paired_observer.hpp"

#include <cmath>

namespace sde::verify {

PairedObserver::PairedObserver(const Problem& problem, const Pairing& pairing)
    : problem_(problem),
      pairing_(pairing),
      d_(problem.model->dim()),
      terms_(problem.terms()),
      point_(problem.model->dim()),
      start_(pairing.functions.size()),
      algorithm_(start_),
      fine_(start_),
      coarse_(start_) {
  for (const auto& g : pairing.functions) asks_for_terms_ = asks_for_terms_ || !g.smooth();
}

void PairedObserver::operator()(const PairedSnapshots& seen, long first, long last, PairedResult& result) {
  for (long path = first; path < last; ++path) {
    if (seen.burned_in)
      values(&seen.begin.fine[static_cast<std::size_t>(path)], seen.begin.count, start_);
    else
      values(problem_.start_on_gamma.data(), 1, start_);
    for (std::size_t t = 0; t < seen.at.size(); ++t) observe(seen.at[t], path, t, result);
    const auto& end = seen.at.back();
    const auto i = static_cast<std::size_t>(path);
    if (end.lost[i] || end.lost_by[i]) ++result.lost;
  }
  result.paths += last - first;
}

void PairedObserver::values(const double* x, long stride, std::vector<double>& v) {
  for (int k = 0; k < d_; ++k) point_[k] = x[k * stride];
  if (asks_for_terms_) terms_->compute(point_.data());
  for (std::size_t q = 0; q < v.size(); ++q) v[q] = pairing_.functions[q](point_, *terms_);
}

void PairedObserver::observe(const PairedState& s, long path, std::size_t t, PairedResult& result) {
  const auto i = static_cast<std::size_t>(path), count = static_cast<std::size_t>(s.count);
  if (s.lost[i]) return;
  double square = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(d_); ++k) {
    const double off = s.x[k * count + i] - s.point[k * count + i];
    square += off * off;
  }
  result.distance[t].add(std::sqrt(square));
  values(&s.point[i], s.count, algorithm_);
  const std::size_t Q = algorithm_.size();
  const auto martingale = [&](std::size_t p, std::size_t q) {
    return s.martingale.empty() ? 0.0 : s.martingale[(p * Q + q) * count + i];
  };
  // Of the algorithm, less the first prediction's martingale, whose noise is nearly its own.
  const auto increment = [&](std::size_t q) { return algorithm_[q] - start_[q] - martingale(0, q); };
  for (std::size_t q = 0; q < Q; ++q) {
    result.algorithm[t][q].add(algorithm_[q]);
    result.increment[t][q].add(increment(q));
  }
  for (std::size_t p = 0; p < pairing_.predictions.size(); ++p) {
    if (s.lost_by[p * count + i]) continue;
    // What comes after the position in an SDE's state, its v, is not observed.
    const std::size_t at = p * (s.fine.size() / pairing_.predictions.size()) + i;
    values(&s.fine[at], s.count, fine_);
    values(&s.coarse[at], s.count, coarse_);
    for (std::size_t q = 0; q < Q; ++q) {
      const double extrapolated = 2 * fine_[q] - coarse_[q];
      result.prediction[p][t][q].add(extrapolated);
      const double drift = extrapolated - start_[q] - martingale(p, q);
      result.drift[p][t][q].add(drift);
      result.gap[p][t][q].add(increment(q) - drift);
      result.step_error[p][t][q].add(fine_[q] - coarse_[q]);
    }
  }
}

}  // namespace sde::verify
