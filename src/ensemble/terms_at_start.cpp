#include "sde/ensemble/terms_at_start.hpp"

#include "sde/model/dense_geometry.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::ensemble {

std::unique_ptr<slow::PointTerms> terms_at_start(const Problem& p, const discrete::Algorithm& a) {
  std::unique_ptr<slow::PointTerms> terms;
  if (const auto metric = a.type->metric(a)) {
    auto dense = std::make_unique<slow::DenseGeometry>(*p.model, p.noise);
    dense->set_metric(metric->root(metric->start));
    terms = std::move(dense);
  } else {
    terms = p.terms();
  }
  terms->compute(p.start_on_gamma.data());
  return terms;
}

void set_noise(const Problem& p, discrete::Algorithm& a) {
  if (!a.type->in_metric()) return;
  const Vector diagonal = p.model->at_points()
                              ? Vector::Zero(p.model->dim())
                              : slow::covariance(*p.model, p.noise, p.start_on_gamma.data()).diagonal().eval();
  a.type->set_noise(a, {diagonal.begin(), diagonal.end()});
  discrete::check(a);
}

}  // namespace sde::ensemble
