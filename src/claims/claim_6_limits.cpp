#include "cases.hpp"

namespace sde::claims {

namespace {

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  Measured m;
  {
    const auto a = local_sgd(s, s.seed_of(6, 0), 0.0025, 4, 0, 8);  // alpha = 0: H = 1
    auto pairing = stationary(p, a, 0.2, s.paths(1024));
    pairing.functions = {slow_variable(loss)};
    pairing.predictions = {sgd_prediction(pairing)};
    const auto r = paired(s, m, p, pairing);
    m.rows.push_back(
        gap_row(6, loss, "drift at H = 1 / slow SDE's of SGD", r, 0, 0, r.drift[0].back()[0].mean, 0.03 * s.margin));
  }
  constexpr int kWorkers = 8;
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  // psi(alpha lambda) is within 1/(alpha lambda) of its limit, psi(2 alpha lambda) within half of that.
  const double alpha = 40 / terms->normal_eigenvalues().minCoeff() / s.margin;
  const auto a = local_sgd(s, s.seed_of(6, 1), 0.02 / alpha, kWorkers, alpha, 8);
  auto pairing = stationary(p, a, 0.1, s.paths(192));
  pairing.functions = {slow_variable(loss)};
  pairing.predictions = {limit_prediction(pairing)};
  auto fewer = pairing.predictions.front();
  --fewer.parameters.workers;
  pairing.predictions.push_back(fewer);
  const auto r = paired(s, m, p, pairing);
  const double scale = r.drift[0].back()[0].mean;
  m.rows.push_back(gap_row(6, loss, "drift at large alpha / K times SGD's", r, 0, 0, scale, 0.05 * s.margin));
  m.rows.push_back(gap_row(6, loss, "control: K - 1 times SGD's", r, 1, 0, scale, 0.05 * s.margin));
  m.rows.back().control = true;
  return m;
}

}  // namespace

Claim limits() {
  return {6,
          "Limits: H = 1 gives SGD; large alpha gives K times the drift of SGD",
          "section 3, alpha -> 0 and alpha -> infinity; Gu et al. 2024 for the limit",
          "mean increment of a slow variable at H = 1, and at alpha lambda = 40 (full: 80) with K = 8",
          "0.03 relative at H = 1, 0.05 at large alpha",
          {"valley", "hyperbola", "ring"},
          "not measured: sphere and flat have no drift-II; for the others the statement is the same",
          measure};
}

}  // namespace sde::claims
