#include "observer.hpp"

#include <limits>

namespace sde::ensemble {

namespace {

/// Component c of a vector.
auto components_of(Vector v) {
  return [v = std::move(v)](int c) { return v[c]; };
}

}  // namespace

/// What an adaptive method's predicted drift and diffusion are here: they depend on its v, which is not observed.
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// A path at one time: its observables (model/observables.hpp), and their record.
struct Observer::Path {
  const Observer& o;
  const std::size_t t;
  const double* const theta;
  const double spread;
  const slow::Parameters parameters;
  const Vector lambda, &previous;
  MethodResult& result;
  std::size_t q = 0;
  slow::Matrix tangent_noise = {};

  const LossModel& model() const { return *o.problem_.model; }
  double loss() const { return model().value(theta); }
  double trace_hessian() const { return lambda.sum(); }
  double lambda_max() const { return lambda.size() > 0 ? lambda.maxCoeff() : 0; }
  double distance() const { return (o.point_ - Eigen::Map<const Vector>(theta, o.point_.size())).norm(); }
  double disagreement() const { return spread; }
  double test_error() const { return model().test_error(theta); }
  auto drift(slow::Term term) const { return components_of(o.terms_->contraction(term, parameters)); }
  auto ito_normal() const { return components_of(o.terms_->ito_normal(parameters.diffusion_batch())); }
  auto diffusion() {
    if (tangent_noise.size() == 0) tangent_noise = o.terms_->tangent_noise();
    return [this](int i, int k) {
      const auto row = tangent_noise.row(i);
      return (i == k ? row.squaredNorm() : row.dot(tangent_noise.row(k))) / parameters.diffusion_batch();
    };
  }
  /// Slow time since the last observation; 0 where there was none.
  double width() const { return t > 0 && previous.size() > 0 ? result.slow_time[t] - result.slow_time[t - 1] : 0; }
  auto rate() const {
    return [this, w = width()](int c) { return (o.point_[c] - previous[c]) / w; };
  }

  template <class F>
  void scalar(const char*, F f) {
    put(f(*this));
  }
  void polynomials() {
    for (const auto& p : o.observation_.polynomials) put(p(o.point_.data()));
    if (o.observation_.diagonal_powers.empty()) return;
    const Vector diagonal = hessian_diagonal(model(), o.point_.data(), o.problem_.interpolating);
    for (const auto& p : o.observation_.diagonal_powers) put(p(diagonal));
  }
  template <class F>
  void components(PerComponent which, F f) {
    if (which == PerComponent::rate && width() <= 0) return;
    if (which != PerComponent::rate && o.in_metric_) {
      for (auto& of_component : result.table(which)[t]) of_component.add(kUnknown);
      return;
    }
    const auto value = f(*this);
    auto& row = result.table(which)[which == PerComponent::rate ? t - 1 : t];
    for (int c = 0; c < o.observation_.components; ++c) row[static_cast<std::size_t>(c)].add(value(c));
  }
  template <class F>
  void pairs(F f) {
    if (o.in_metric_) {
      add_pairs(result.diffusion_pairs[t], [](int, int) { return kUnknown; });
      return;
    }
    add_pairs(result.diffusion_pairs[t], f(*this));
  }
  void rate_pairs() {
    if (width() <= 0) return;
    const auto value = rate();
    add_pairs(result.rate_sums[t - 1], [&](int i, int k) { return value(i) + value(k); });
    add_pairs(result.rate_differences[t - 1], [&](int i, int k) { return value(i) - value(k); });
  }
  template <class F>
  void add_pairs(std::vector<stats::Moments>& row, F value) const {
    for (int p = 0; p < pairs_of(o.observation_.components); ++p) {
      const auto pair = pair_of(p, o.observation_.components);
      row[static_cast<std::size_t>(p)].add(value(pair.first, pair.second));
    }
  }
  void put(double value) {
    result.values[t][q].add(value);
    result.samples[t][q++].push_back(value);
  }
};

Observer::Observer(const Problem& problem, const Method& method, const Observation& observation, const SlowClock& clock)
    : problem_(problem),
      method_(method),
      observation_(observation),
      clock_(clock),
      in_metric_(method.algorithm.type->in_metric()) {
  if (const auto* points = problem.model->at_points()) {
    point_observer_ = points->observer(problem.noise);
    values_.resize(points->names().size());
    return;
  }
  flow_.emplace(*problem.model, manifold::kObservationFlow, problem.minimum());
  terms_ = problem.terms();
}

void Observer::at_point(long path_number, std::size_t t, const double* theta, double spread, MethodResult& result) {
  (*point_observer_)(theta, method_.algorithm.seed, static_cast<std::uint32_t>(path_number),
                     static_cast<std::uint32_t>(t), values_.data());
  const std::size_t of_model = values_.size();
  values_.push_back(spread);
  if (!observation_.diagonal_powers.empty()) {
    const Vector diagonal = hessian_diagonal(*problem_.model, theta, false);
    for (const auto& p : observation_.diagonal_powers) values_.push_back(p(diagonal));
  }
  for (std::size_t q = 0; q < values_.size(); ++q) {
    result.values[t][q].add(values_[q]);
    result.samples[t][q].push_back(values_[q]);
  }
  values_.resize(of_model);
  result.sample_paths[t].push_back(path_number);
}

void Observer::operator()(long path_number, std::size_t t, const double* theta, double spread, Vector& previous,
                          MethodResult& result) {
  if (point_observer_) return at_point(path_number, t, theta, spread, result);
  point_ = Eigen::Map<const Vector>(theta, problem_.model->dim());
  if (!method_.dynamics->on_gamma()) (*flow_)(point_.data());
  terms_->compute(point_.data());
  Path path{*this, t, theta, spread, clock_.at(result.slow_time[t]), terms_->normal_eigenvalues(), previous, result};
  for_each_observable(problem_.model->has_test_error(), path);
  if (observation_.components > 0) for_each_component(path.parameters, path);
  result.sample_paths[t].push_back(path_number);
  result.spectra.add(path.lambda);
  previous = point_;
}

}  // namespace sde::ensemble
