#include "measuring.hpp"

namespace sde::claims {

namespace {

/// H = 1, where alpha is 0 to the theory.
void short_rounds(const Setting& s, const Case& c, Measured& m) {
  const auto& design = c.designs.limits;
  const auto a = local_sgd(s, s.seed_of(6, 0), design.short_eta, design.short_workers, 0, design.batch);
  auto pairing = stationary(c, a, design.short_time, design.dt, s.paths(design.short_paths));
  pairing.functions = {c.slow_variable};
  pairing.predictions = {sgd_prediction(pairing)};
  const auto r = paired(s, m, c, pairing);
  m.rows.push_back(gap_row(6, c, "drift at H = 1 / slow SDE's of SGD", r, 0, 0, r.drift[0].back()[0].mean,
                           design.short_margin * s.margin));
}

void long_rounds(const Setting& s, const Case& c, Measured& m) {
  const auto& design = c.designs.limits;
  const double half = design.margin * s.margin;
  const auto terms = c.problem.terms();
  terms->compute(c.problem.start_on_gamma.data());
  const double alpha = design.alpha(terms->normal_eigenvalues().minCoeff(), s.margin);
  const auto a = local_sgd(s, s.seed_of(6, 1), design.eta(alpha), design.workers, alpha, design.batch);
  auto pairing = stationary(c, a, design.time, design.dt, s.paths(design.paths));
  pairing.functions = {c.slow_variable};
  pairing.predictions = {limit_prediction(pairing)};
  auto fewer = pairing.predictions.front();
  --fewer.parameters.workers;
  pairing.predictions.push_back(fewer);
  const auto r = paired(s, m, c, pairing);
  const double scale = r.drift[0].back()[0].mean;
  m.rows.push_back(gap_row(6, c, "drift at large alpha / K times SGD's", r, 0, 0, scale, half));
  const std::string control = "control: K - 1 times SGD's";
  if (!apart(m, control, r, 1, 0, scale, half)) return;
  m.rows.push_back(gap_row(6, c, control, r, 1, 0, scale, half));
  m.rows.back().control = true;
}

Measured measure(const Setting& s, const Case& c) {
  Measured m;
  short_rounds(s, c, m);
  if (c.designs.limits.paths > 0)
    long_rounds(s, c, m);
  else
    m.skipped.push_back({"drift at large alpha", c.designs.limits.why_no_long_rounds});
  return m;
}

}  // namespace

Claim limits() {
  return {6,
          "Limits: H = 1 gives SGD; large alpha gives K times the drift of SGD",
          "section 3, alpha -> 0 and alpha -> infinity; Gu et al. 2024 for the limit",
          "mean increment of a slow variable at H = 1, and at alpha lambda = 40 (full: 80) with K = 8",
          "0.03 relative at H = 1, 0.05 at large alpha",
          "not measured: sphere and flat have no drift-II; for the others the statement is the same",
          measure};
}

}  // namespace sde::claims
