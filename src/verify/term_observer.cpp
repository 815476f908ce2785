#include "term_observer.hpp"

#include <stdexcept>

namespace sde::verify {

namespace {

/// Points and martingales of one path.
Vector column(const std::vector<double>& values, long path, long count, Eigen::Index size) {
  Vector v(size);
  for (Eigen::Index k = 0; k < size; ++k) v[k] = values[static_cast<std::size_t>(k * count + path)];
  return v;
}

}  // namespace

TermObserver::TermObserver(const Problem& problem, const Pairing& pairing)
    : problem_(problem),
      parameters_(pairing.predictions.at(0).parameters),
      terms_(problem.terms()),
      directions_(slow::Matrix::Zero(problem.model->dim(), static_cast<Eigen::Index>(pairing.functions.size()))) {
  if (!(parameters_.factors == slow::Factors{}))
    throw std::invalid_argument("term fit: expected the theory's slow SDE as the first prediction");
  for (std::size_t m = 0; m < pairing.functions.size(); ++m) {
    const auto& g = pairing.functions[m];
    if (!g.smooth() || g.w.size() > 0 || g.bounded)
      throw std::invalid_argument("term fit: '" + g.name + "' is not a linear form of the coordinates");
    directions_.col(static_cast<Eigen::Index>(m)).head(g.u.size()) = g.u;
  }
}

TermObserver::Terms TermObserver::terms_at(const Vector& point) {
  terms_->compute(point.data());
  auto without = parameters_;
  without.factors.tangent_normal = 0;
  const Vector first = terms_->contraction(slow::Term::drift_1, parameters_);
  Vector second = Vector::Zero(point.size()), normal_alone = terms_->contraction(slow::Term::drift_1, without);
  if (parameters_.workers > 1) {
    second = terms_->contraction(slow::Term::drift_2, parameters_);
    normal_alone += terms_->contraction(slow::Term::drift_2, without);
  }
  slow::Matrix all(point.size(), static_cast<Eigen::Index>(kDriftTerms));
  all << first, second, first + second - normal_alone, terms_->ito_normal(parameters_.batch);
  Terms t;
  t.drift = directions_.transpose() * all;
  t.total = t.drift.col(0) + t.drift.col(1) + t.drift.col(3);
  t.columns = directions_.transpose() * terms_->tangent_noise() / std::sqrt(parameters_.batch);
  return t;
}

void TermObserver::add(const Terms& before, const Terms& after, const Vector& increment, const Vector& martingale,
                       double width, TermSums& sums) const {
  const slow::Matrix integral = 0.5 * width * (before.drift + after.drift);
  const slow::Matrix zx = before.drift.transpose() * integral;
  const Vector zy = before.drift.transpose() * (increment - martingale);
  for (std::size_t i = 0; i < kDriftTerms; ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    sums.zy[i] += zy[row];
    for (std::size_t j = 0; j < kDriftTerms; ++j) sums.zx[i * kDriftTerms + j] += zx(row, static_cast<Eigen::Index>(j));
  }
  if (before.columns.size() == 0) return;
  const Vector centred = increment - 0.5 * width * (before.total + after.total);
  sums.squares += (before.columns.transpose() * centred).squaredNorm();
  sums.expected += width * (before.columns.transpose() * before.columns).squaredNorm();
}

TermSums TermObserver::operator()(const PairedSnapshots& seen, const std::vector<double>& times, long first,
                                  long last) {
  const Eigen::Index d = problem_.model->dim(), directions = directions_.cols();
  TermSums sums;
  for (long path = first; path < last; ++path) {
    if (seen.at.back().lost[static_cast<std::size_t>(path)] || seen.at.back().lost_by[static_cast<std::size_t>(path)])
      continue;
    Vector point = seen.burned_in ? column(seen.begin.fine, path, seen.begin.count, d) : problem_.start_on_gamma;
    Vector martingale = Vector::Zero(directions);
    double time = 0;
    Terms before = terms_at(point);
    for (std::size_t t = 0; t < seen.at.size(); ++t) {
      const auto& s = seen.at[t];
      const Vector next = column(s.point, path, s.count, d);
      const Vector gathered = column(s.martingale, path, s.count, directions);
      Terms after = terms_at(next);
      add(before, after, seen_at(next - point), gathered - martingale, times[t] - time, sums);
      before = std::move(after);
      point = next;
      martingale = gathered;
      time = times[t];
    }
  }
  return sums;
}

}  // namespace sde::verify
