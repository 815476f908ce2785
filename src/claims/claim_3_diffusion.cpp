#include <fmt/format.h>
#include <fmt/ranges.h>

#include "measuring.hpp"

namespace sde::claims {

namespace {

/// Entries of the covariance of Phi's increment over the design's time, about the mean that the slow SDE predicts, over
/// the slow SDE's: of each pair of tangent directions with noise. The control has a batch twice as large.
struct Covariance {
  std::vector<Row> entries;
  Row control;
};
Covariance covariance(const Setting& s, Measured& m, const Case& c, const discrete::Algorithm& a,
                      std::uint64_t pilot_seed, long paths) {
  const auto& design = c.designs.diffusion;
  const double half = design.margin * s.margin;
  const auto& start = c.problem.start_on_gamma;
  const slow::Matrix all = noise_directions(c.problem);
  const slow::Matrix directions = all.leftCols(std::min<Eigen::Index>(all.cols(), design.directions));
  verify::Pairing pairing;
  pairing.algorithm = a;
  pairing.predictions = {verify::theory(a, c.factors)};
  pairing.times = {design.time};
  pairing.dt = design.dt;
  // The centre from a run of its own: an error e of the centre adds e^2 to both sides.
  auto pilot = pairing;
  pilot.algorithm.seed = pilot_seed;
  pilot.paths = s.paths(64);
  for (Eigen::Index i = 0; i < directions.cols(); ++i) pilot.functions.push_back(along(directions.col(i), start));
  const auto centre_run = paired(s, m, c, pilot);
  Vector centre = start;
  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    centre += centre_run.drift[0].back()[static_cast<std::size_t>(i)].mean * directions.col(i);

  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      pairing.functions.push_back(product_along(directions.col(i), directions.col(j), centre));
  auto wrong = pairing.predictions.front();
  wrong.parameters.batch *= 2;
  pairing.predictions.push_back(wrong);
  pairing.paths = paths;
  const auto r = paired(s, m, c, pairing);
  const auto entry = [&](Eigen::Index i, Eigen::Index j) { return static_cast<std::size_t>(i * (i + 1) / 2 + j); };
  const auto variance = [&](Eigen::Index i) { return r.prediction[0].back()[entry(i, i)].mean; };
  Covariance result;
  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      const auto q = entry(i, j);
      const double scale = std::sqrt(variance(i) * variance(j));
      const auto name = fmt::format("covariance ({}, {}) / slow SDE's, K = {}, alpha = {:.3g}, eta = {:.3g}", i + 1,
                                    j + 1, a.workers, a.rate.eta * static_cast<double>(a.H(0)), a.rate.eta);
      Row row = gap_row(3, c, name, r, 0, q, scale, half);
      row.measured = r.prediction[0].back()[q].mean / scale + row.difference();  // about the centre, not the start
      row.predicted = r.prediction[0].back()[q].mean / scale;
      result.entries.push_back(row);
    }
  const double scale = variance(0);
  result.control = gap_row(3, c, fmt::format("control: B twice as large, K = {}", a.workers), r, 1, 0, scale, half);
  result.control.measured = result.entries.front().measured;
  result.control.predicted = result.control.measured - r.gap[1].back()[0].mean / scale;
  result.control.control = true;
  return result;
}

/// Where the law is known in closed form, the algorithm alone against it: no prediction that shares its noise.
void closed_form(const Setting& s, Measured& m, const Case& c, int run) {
  const auto& p = c.problem;
  const auto& design = c.designs.diffusion;
  verify::Pairing pairing;
  pairing.algorithm = local_sgd(s, s.seed_of(3, run), c.variance->eta, 8, 0.5, design.batch);
  pairing.predictions = {verify::theory(pairing.algorithm, c.factors)};
  pairing.times = {design.time};
  pairing.dt = design.dt;
  pairing.paths = s.paths(32768);
  const Vector u = noise_directions(p).col(0);
  pairing.functions = {product_along(u, u, p.start_on_gamma)};
  const auto r = paired(s, m, c, pairing);
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const double rate = (terms->tangent_noise().transpose() * u).squaredNorm() / design.batch;
  const double known = c.variance->at(rate, r.slow_time.back());
  const auto& plain = r.algorithm.back()[0];
  Row row;
  row.claim = 3;
  row.name = c.name;
  row.quantity = "variance / closed form, K = 8, alpha = 0.5, the algorithm alone";
  row.measured = plain.mean / known;
  row.predicted = 1;
  row.standard_error = plain.standard_error() / known;
  row.high = design.margin * s.margin;
  row.low = -row.high;
  row.gradients = r.gradients;
  m.rows.push_back(row);
}

Measured measure(const Setting& s, const Case& c) {
  Measured m;
  int run = 0;
  for (const auto& cells : c.designs.diffusion.cells) {
    std::vector<Row> entries;
    Row control;
    for (const double eta : cells.eta)
      for (const double alpha : cells.alpha) {
        const auto pilot_seed = s.seed_of(3, ++run);
        const auto a = local_sgd(s, s.seed_of(3, ++run), eta, cells.workers, alpha, c.designs.diffusion.batch);
        const auto covered = covariance(s, m, c, a, pilot_seed, s.paths(cells.paths));
        entries.insert(entries.end(), covered.entries.begin(), covered.entries.end());
        control = covered.control;
      }
    m.cells.insert(m.cells.end(), entries.begin(), entries.end());
    const auto alpha = cells.workers == 1        ? std::string()
                       : cells.alpha.size() == 2 ? fmt::format(", alpha {}", fmt::join(cells.alpha, ", "))
                                                 : ", " + range("alpha", cells.alpha);
    m.rows.push_back(worst(entries, fmt::format("covariance / slow SDE's, K = {}{}", cells.workers, alpha)));
    if (cells.control) m.rows.push_back(control);
  }
  if (c.variance) closed_form(s, m, c, ++run);
  return m;
}

}  // namespace

Claim diffusion() {
  return {3,
          "Diffusion: the covariance per slow time is Sigma_par/B, whatever H and K at fixed B",
          "theorem of section 3, term (a)",
          "covariance of Phi's increment over slow time 0.1 along the tangent directions with noise, beside the slow "
          "SDE's; on flat and sphere also the algorithm alone beside the closed form",
          "0.05 of the variances",
          "not applicable: label noise has no tangent block, Sigma_par = 0, the slow SDE is an ODE",
          measure};
}

}  // namespace sde::claims
