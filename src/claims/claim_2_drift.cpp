#include <fmt/format.h>

#include "measuring.hpp"

namespace sde::claims {

namespace {

/// Drift-II under half the alpha: what the control predicts.
verify::Prediction half_alpha(const verify::Pairing& pairing) {
  auto p = pairing.predictions.front();
  p.parameters.alpha /= 2;
  return p;
}

/// Drift of one algorithm over that of SGD's slow SDE (K = 1), or its drift-II over the limit's (K > 1): the row, and
/// for K > 1 the control's.
std::vector<Row> drift_rows(const Setting& s, Measured& m, const Case& c, const discrete::Algorithm& a, long paths,
                            bool with_control) {
  const auto& design = c.designs.drift;
  auto pairing = stationary(c, a, design.time, design.dt, paths);
  pairing.functions = {c.slow_variable};
  pairing.predictions.push_back(sgd_prediction(pairing));
  pairing.predictions.push_back(limit_prediction(pairing));
  pairing.predictions.push_back(half_alpha(pairing));
  const auto r = paired(s, m, c, pairing);
  const double half = design.margin * s.margin;
  const double sgd = r.drift[1].back()[0].mean, limit = r.drift[2].back()[0].mean;
  if (a.workers == 1) return {gap_row(2, c, "drift / slow SDE's", r, 0, 0, sgd, half)};
  std::vector<Row> rows{gap_row(2, c, "drift-II / its limit", r, 0, 0, limit - sgd, half)};
  const std::string control = "control: psi at half the alpha";
  if (with_control && apart(m, control, r, 3, 0, limit - sgd, half))
    rows.push_back(gap_row(2, c, control, r, 3, 0, limit - sgd, half));
  for (auto& row : rows) {
    row.measured -= sgd / (limit - sgd);
    row.predicted -= sgd / (limit - sgd);
    row.quantity += fmt::format(", K = {}, alpha = {:.3g}, eta = {:.3g}", a.workers,
                                a.rate.eta * static_cast<double>(a.H(0)), a.rate.eta);
  }
  if (rows.size() > 1) rows[1].control = true;
  return rows;
}

Measured measure(const Setting& s, const Case& c) {
  const auto& grid = c.designs.drift;
  const auto terms = c.problem.terms();
  terms->compute(c.problem.start_on_gamma.data());
  Measured m;
  int run = 0;
  for (const int K : grid.workers) {
    // The same interval of the ratio needs fewer paths where drift-II is K - 1 times larger.
    const long paths = s.paths(K == 1 ? 2 * grid.paths : grid.paths / (K - 1));
    std::vector<Row> rows, controls;
    for (const double eta : grid.eta)
      for (const double alpha : K == 1 ? std::vector<double>{0} : grid.alpha) {
        const auto a = local_sgd(s, s.seed_of(2, ++run), eta, K, alpha, grid.batch);
        const auto cell = drift_rows(s, m, c, a, paths, alpha == grid.control_alpha && controls.empty());
        rows.push_back(cell[0]);
        if (K == 1) continue;
        if (cell.size() > 1) controls.push_back(cell[1]);
        const double alpha_used = a.rate.eta * static_cast<double>(a.H(0));
        const auto series = fmt::format("{}, K = {}, eta = {}", c.name, K, a.rate.eta);
        m.points.push_back({series, c.one_argument ? 2 * alpha_used * terms->lambda_max() : alpha_used,
                            cell[0].measured, cell[0].standard_error});
      }
    m.cells.insert(m.cells.end(), rows.begin(), rows.end());
    m.rows.push_back(worst(rows, K == 1
                                     ? "drift / slow SDE's, SGD"
                                     : fmt::format("drift-II / its limit, K = {}, {}", K, range("alpha", grid.alpha))));
    m.rows.insert(m.rows.end(), controls.begin(), controls.end());
  }
  return m;
}

}  // namespace

Claim drift() {
  return {
      2,
      "Drift: the mean of Phi's increment is drift-I + drift-II, and drift-II traces psi(alpha lambda)",
      "theorem of section 3, terms (b) and (c)",
      "mean increment of a slow variable over slow time 0.2; K > 1: (drift - drift-I)/(drift of the limit - drift-I)",
      "0.03 of the limit's drift-II (K = 1: of the drift)",
      "not measured: claim 7 measures chain's drift; sphere and flat have no drift-II, which claim 13 tests",
      measure};
}

}  // namespace sde::claims
