#include "wrong_term.hpp"

#include <Eigen/QR>
#include <cmath>

namespace sde::claims {

namespace {

constexpr int kDirections = 8;

/// In which increments are seen: the coordinates, or of many dimensions an orthonormal basis of what the terms are at
/// the start.
std::vector<verify::TestFunction> directions(const Case& c, const slow::Parameters& parameters) {
  const auto& p = c.problem;
  const int d = p.model->dim();
  std::vector<verify::TestFunction> all;
  if (d <= kDirections) {
    for (int k = 0; k < d; ++k) all.push_back(verify::coordinate(k));
    return all;
  }
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const slow::Matrix noise = noise_directions(p);
  slow::Matrix of_terms(d, 3 + std::min<Eigen::Index>(noise.cols(), kDirections - 3));
  of_terms << terms->contraction(slow::Term::drift_1, parameters), terms->contraction(slow::Term::drift_2, parameters),
      terms->ito_normal(parameters.batch), noise.leftCols(of_terms.cols() - 3);
  for (Eigen::Index k = 0; k < of_terms.cols(); ++k) of_terms.col(k).stableNormalize();
  const Eigen::ColPivHouseholderQR<slow::Matrix> qr(of_terms);
  const slow::Matrix basis = qr.householderQ() * slow::Matrix::Identity(d, qr.rank());
  for (Eigen::Index k = 0; k < basis.cols(); ++k) all.push_back({.name = "u.x", .u = basis.col(k)});
  return all;
}

}  // namespace

bool TermReport::wrong(const verify::TermFactor& f) const {
  if (!f.present || !std::isfinite(f.error)) return false;
  const double z = stats::normal_quantile_tail(0.5 * 0.05 / static_cast<double>(factors.size()));
  return std::abs(f.value - f.has) - z * f.error > margin;
}

TermReport term_report(const Setting& s, const Case& c) {
  const auto& design = c.designs.terms;
  TermReport report;
  report.method = c.name;
  report.margin = design.margin * s.margin;
  Measured counted;
  std::vector<verify::TermSums> blocks;
  for (std::size_t run = 0; run < design.H.size(); ++run) {
    const double alpha = design.eta * s.eta * static_cast<double>(design.H[run]);
    const auto algorithm =
        local_sgd(s, s.seed_of(14, static_cast<int>(run)), design.eta, design.workers, alpha, design.batch);
    auto pairing = stationary(c, algorithm, design.time, design.dt, s.paths(design.paths));
    pairing.predictions = {verify::theory(algorithm)};
    pairing.functions = directions(c, pairing.predictions.front().parameters);
    pairing.times.clear();
    for (int i = 1; i <= design.intervals; ++i) pairing.times.push_back(design.time * i / design.intervals);
    pairing.fit_terms = true;
    const auto r = paired(s, counted, c, pairing);
    blocks.insert(blocks.end(), r.terms.begin(), r.terms.end());
    report.paths += r.paths;
  }
  report.gradients = counted.gradients;
  const auto& f = c.factors;
  if (!blocks.empty())
    report.factors = verify::fit_terms(blocks, {f.drift_1, f.drift_2, f.tangent_normal, f.diffusion, f.diffusion});
  return report;
}

}  // namespace sde::claims
