#include "pilot.hpp"

#include <algorithm>

namespace sde::claims {

double work_of_path(const ensemble::Problem& p, double eta, int workers, double time, double dt, int predictions) {
  const double d = p.model->dim(), n = std::max(1, p.model->residual_count());
  const double gradients = workers * time / (eta * eta), slow_steps = 1.5 * time / dt * predictions;
  return std::max(1.0, d * n / 4) * (gradients + 20 * slow_steps);
}

long paths_for(double noise, double scale, double margin, double work_of_path) {
  const double wanted = std::pow(12 * 1.96 * noise / (margin * scale), 2);
  const double most = std::min(kWork / work_of_path, 1e5);
  return static_cast<long>(std::clamp(wanted, 64.0, std::max(64.0, most)));
}

namespace {

bool diffuses(const ensemble::Problem& p, slow::PointTerms& terms) {
  const slow::Matrix A = terms.tangent_noise();
  if (A.size() == 0) return false;
  double size = 0;  // a factor without a tangent part leaves rounding errors
  for (const double a : p.noise.factor) size += a * a;
  for (const double a : p.noise.state) size += a * a;
  return A.squaredNorm() > 1e-18 * std::max(size, A.squaredNorm() > 0 && size == 0 ? 1.0 : size);
}

}  // namespace

Pilot pilot_of(const Setting& s, const Case& c, const Own& own, double time,
               const std::vector<verify::TestFunction>& functions) {
  Pilot pilot;
  const auto terms = c.problem.terms();
  terms->compute(c.problem.start_on_gamma.data());
  pilot.lambda_min = terms->normal_eigenvalues().minCoeff();
  pilot.lambda_max = terms->lambda_max();
  pilot.diffuses = diffuses(c.problem, *terms);
  // A tenth of the experiment, but some rounds, and what 64 paths can afford.
  const double path = work_of_path(c.problem, own.eta, own.workers, 1, 1, 3);
  pilot.time = std::max(std::min(0.1 * time, kWork / 64 / path), 4 * own.round());
  pilot.dt = pilot.time / 40;
  auto pairing = stationary(c, local_sgd(s, s.seed_of(0, 0), own.eta, own.workers, own.alpha(), own.batch), pilot.time,
                            pilot.dt, 64);
  pairing.predictions.push_back(sgd_prediction(pairing));
  pairing.predictions.push_back(limit_prediction(pairing));
  pairing.functions = functions;
  const auto r = verify::run_paired(c.problem, pairing, s.control);
  for (std::size_t q = 0; q < functions.size(); ++q) {
    const auto mean = [&](std::size_t p) { return r.drift[p].back()[q].mean; };
    Signal x;
    x.change = mean(0);
    x.drift_2 = mean(0) - mean(1);
    x.limit = mean(2) - mean(1);
    x.noise = std::sqrt(r.gap[0].back()[q].variance());
    x.single = std::sqrt(r.increment.back()[q].variance());
    x.spread = std::sqrt(r.algorithm.back()[q].variance());
    // What is constant along Gamma (tr Hess of the sphere) leaves rounding errors.
    const double small = 1e-10 * std::abs(r.algorithm.back()[q].mean);
    for (double* part : {&x.change, &x.drift_2, &x.limit, &x.noise, &x.single, &x.spread})
      if (std::abs(*part) < small) *part = 0;
    pilot.signals.push_back(x);
    // On common noise the predictions differ by rounding errors where they are the same SDE.
    if (std::abs(x.limit) > 1e-7 * (std::abs(x.change) + x.spread)) pilot.additional_drift = own.workers > 1;
  }
  return pilot;
}

}  // namespace sde::claims
