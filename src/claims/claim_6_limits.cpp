#include "cases.hpp"

namespace sde::claims {

namespace {

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  Measured m;
  {
    auto pairing = stationary(p, local_sgd(s, 0.0025, 4, 0, 8), 0.2, s.paths(2048));  // alpha = 0: H = 1
    pairing.functions = {slow_variable(loss)};
    pairing.predictions = {sgd_prediction(pairing)};
    const auto r = verify::run_paired(p, pairing, s.control);
    m.rows.push_back(
        gap_row(6, loss, "drift at H = 1 / slow SDE's of SGD", r, 0, 0, r.drift[0].back()[0].mean, 0.03 * s.margin));
  }
  {
    constexpr int kWorkers = 8;
    const auto terms = p.terms();
    terms->compute(p.start_on_gamma.data());
    // psi(2 alpha lambda) is within 1/(2 alpha lambda) of its limit.
    const double alpha = 40 / terms->normal_eigenvalues().minCoeff() / s.margin;
    auto pairing = stationary(p, local_sgd(s, 0.02 / alpha, kWorkers, alpha, 8), 0.1, s.paths(256));
    pairing.functions = {slow_variable(loss)};
    pairing.predictions = {limit_prediction(pairing)};
    const auto r = verify::run_paired(p, pairing, s.control);
    m.rows.push_back(
        gap_row(6, loss, "drift at large alpha / K times SGD's", r, 0, 0, r.drift[0].back()[0].mean, 0.05 * s.margin));
  }
  return m;
}

}  // namespace

Claim limits() {
  return {6,
          "Limits: H = 1 gives SGD; large alpha gives K times the drift of SGD",
          "section 3, alpha -> 0 and alpha -> infinity; Gu et al. 2024 for the limit",
          "mean increment of a slow variable at H = 1, and at alpha lambda = 40 with K = 8",
          "0.03 relative at H = 1, 0.05 at large alpha",
          {"valley", "hyperbola", "ring"},
          "measured on three losses with one, one and two arguments of psi",
          measure};
}

}  // namespace sde::claims
