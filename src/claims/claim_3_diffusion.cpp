#include <fmt/format.h>

#include "cases.hpp"

namespace sde::claims {

namespace {

constexpr int kBatch = 32;
constexpr double kTime = 0.1;

/// Entries of the covariance of Phi's increment over kTime, about the mean that the slow SDE predicts, over the slow
/// SDE's: of each pair of tangent directions with noise. The control has a batch twice as large.
struct Covariance {
  std::vector<Row> entries;
  Row control;
};
Covariance covariance(const Setting& s, Measured& m, const std::string& loss, const ensemble::Problem& p,
                      const discrete::Algorithm& a, std::uint64_t pilot_seed) {
  const slow::Matrix directions = noise_directions(p);
  verify::Pairing pairing;
  pairing.algorithm = a;
  pairing.predictions = {verify::theory(a)};
  pairing.times = {kTime};
  // The centre from a run of its own: an error e of the centre adds e^2 to both sides.
  auto pilot = pairing;
  pilot.algorithm.seed = pilot_seed;
  pilot.paths = s.paths(64);
  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    pilot.functions.push_back(along(directions.col(i), p.start_on_gamma));
  const auto centre_run = paired(s, m, p, pilot);
  Vector centre = p.start_on_gamma;
  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    centre += centre_run.drift[0].back()[static_cast<std::size_t>(i)].mean * directions.col(i);

  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      pairing.functions.push_back(product_along(directions.col(i), directions.col(j), centre));
  auto wrong = pairing.predictions.front();
  wrong.parameters.batch *= 2;
  pairing.predictions.push_back(wrong);
  pairing.paths = s.paths(a.workers > 8 ? 256 : 512);
  const auto r = paired(s, m, p, pairing);
  const auto entry = [&](Eigen::Index i, Eigen::Index j) { return static_cast<std::size_t>(i * (i + 1) / 2 + j); };
  const auto variance = [&](Eigen::Index i) { return r.prediction[0].back()[entry(i, i)].mean; };
  Covariance result;
  for (Eigen::Index i = 0; i < directions.cols(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      const auto q = entry(i, j);
      const double scale = std::sqrt(variance(i) * variance(j));
      const auto name = fmt::format("covariance ({}, {}) / slow SDE's, K = {}, alpha = {:.3g}, eta = {:.3g}", i + 1,
                                    j + 1, a.workers, a.rate.eta * static_cast<double>(a.H(0)), a.rate.eta);
      Row row = gap_row(3, loss, name, r, 0, q, scale, 0.05 * s.margin);
      row.measured = r.prediction[0].back()[q].mean / scale + row.difference();  // about the centre, not the start
      row.predicted = r.prediction[0].back()[q].mean / scale;
      result.entries.push_back(row);
    }
  const double scale = variance(0);
  result.control =
      gap_row(3, loss, fmt::format("control: B twice as large, K = {}", a.workers), r, 1, 0, scale, 0.05 * s.margin);
  result.control.measured = result.entries.front().measured;
  result.control.predicted = result.control.measured - r.gap[1].back()[0].mean / scale;
  result.control.control = true;
  return result;
}

/// Where the law is known in closed form, the algorithm alone against it: no prediction that shares its noise.
void closed_form(const Setting& s, Measured& m, const std::string& loss, const ensemble::Problem& p, int run) {
  verify::Pairing pairing;
  pairing.algorithm = local_sgd(s, s.seed_of(3, run), loss == "flat" ? 0.02 : 0.01, 8, 0.5, kBatch);
  pairing.predictions = {verify::theory(pairing.algorithm)};
  pairing.times = {kTime};
  pairing.paths = s.paths(32768);
  const Vector u = noise_directions(p).col(0);
  pairing.functions = {product_along(u, u, p.start_on_gamma)};
  const auto r = paired(s, m, p, pairing);
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const double rate = (terms->tangent_noise().transpose() * u).squaredNorm() / kBatch, t = r.slow_time.back();
  const double d = static_cast<double>(p.start.size());
  const double known = loss == "flat" ? rate * t : (1 - std::exp(-d * rate * t)) / d;  // sphere: section 7
  const auto& plain = r.algorithm.back()[0];
  Row row;
  row.claim = 3;
  row.loss = loss;
  row.quantity = "variance / closed form, K = 8, alpha = 0.5, the algorithm alone";
  row.measured = plain.mean / known;
  row.predicted = 1;
  row.standard_error = plain.standard_error() / known;
  row.high = 0.05 * s.margin;
  row.low = -row.high;
  row.gradients = r.gradients;
  m.rows.push_back(row);
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  Measured m;
  int run = 0;
  for (const int K : {1, 2, 4, 8, 16, 32}) {
    std::vector<Row> entries;
    Row control;
    // More workers with long rounds need a smaller rate: drift-II moves each round's end.
    for (const double eta : K > 8 ? std::vector<double>{0.005, 0.0035} : std::vector<double>{0.01, 0.005})
      for (const double alpha : K == 1   ? std::vector<double>{0}
                                : K > 16 ? std::vector<double>{0.05, 0.5}
                                         : std::vector<double>{0.05, 0.5, 2}) {
        const auto pilot_seed = s.seed_of(3, ++run);
        const auto a = local_sgd(s, s.seed_of(3, ++run), eta, K, alpha, kBatch);
        const auto c = covariance(s, m, loss, p, a, pilot_seed);
        entries.insert(entries.end(), c.entries.begin(), c.entries.end());
        control = c.control;
      }
    m.cells.insert(m.cells.end(), entries.begin(), entries.end());
    m.rows.push_back(worst(entries, fmt::format("covariance / slow SDE's, K = {}{}", K,
                                                K == 1   ? ""
                                                : K > 16 ? ", alpha 0.05, 0.5"
                                                         : ", alpha 0.05 .. 2")));
    if (K <= 8) m.rows.push_back(control);  // above, the drift of the wrong batch shows more than its diffusion
  }
  if (loss == "flat" || loss == "sphere") closed_form(s, m, loss, p, ++run);
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
          {"valley", "ring", "sphere", "flat"},
          "not applicable: label noise has no tangent block, Sigma_par = 0, the slow SDE is an ODE",
          measure};
}

}  // namespace sde::claims
