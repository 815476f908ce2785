#include "observer.hpp"

namespace sde::ensemble {

Observer::Observer(const Problem& problem, const Method& method, const Observation& observation, const SlowClock& clock)
    : problem_(problem),
      method_(method),
      observation_(observation),
      clock_(clock),
      flow_(*problem.model, manifold::kObservationFlow, problem.minimum()),
      terms_(problem.terms()) {}

void Observer::operator()(std::size_t t, const double* theta, double spread, Vector& previous, MethodResult& result) {
  const int d = problem_.model->dim();
  point_ = Eigen::Map<const Vector>(theta, d);
  if (!method_.dynamics->on_gamma()) flow_(point_.data());
  terms_->compute(point_.data());
  const Vector lambda = terms_->normal_eigenvalues();
  values_.clear();
  values_.push_back(problem_.model->value(theta));
  values_.push_back(lambda.sum());
  values_.push_back(lambda.maxCoeff());
  values_.push_back((point_ - Eigen::Map<const Vector>(theta, d)).norm());
  values_.push_back(spread);
  if (problem_.model->has_test_error()) values_.push_back(problem_.model->test_error(theta));
  for (const auto& p : observation_.polynomials) values_.push_back(p(point_.data()));
  for (std::size_t q = 0; q < values_.size(); ++q) {
    result.values[t][q].add(values_[q]);
    result.samples[t][q].push_back(values_[q]);
  }
  if (observation_.components > 0) predict(t, result);
  if (t > 0 && previous.size() > 0) {
    const double width = result.slow_time[t] - result.slow_time[t - 1];
    if (width > 0)
      for (int c = 0; c < observation_.components; ++c)
        result.rate[t - 1][static_cast<std::size_t>(c)].add((point_[c] - previous[c]) / width);
  }
  previous = point_;
}

void Observer::predict(std::size_t t, MethodResult& result) {
  const slow::Parameters p = clock_.at(result.slow_time[t]);
  const Vector first = terms_->contraction(slow::Term::drift_1, p);
  const Vector second =
      p.workers > 1 ? terms_->contraction(slow::Term::drift_2, p) : Vector::Zero(problem_.model->dim());
  const Vector normal = terms_->ito_normal(p.batch);
  const slow::Matrix columns = terms_->tangent_noise();
  for (int c = 0; c < observation_.components; ++c) {
    const auto i = static_cast<std::size_t>(c);
    result.drift_1[t][i].add(first[c]);
    result.drift_2[t][i].add(second[c]);
    result.ito_normal[t][i].add(normal[c]);
    result.diffusion[t][i].add(columns.row(c).squaredNorm() / p.batch);
  }
}

}  // namespace sde::ensemble
