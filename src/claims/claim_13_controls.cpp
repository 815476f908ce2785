#include <fmt/format.h>

#include "cases.hpp"
#include "without_tangent_normal.hpp"

namespace sde::claims {

namespace {

/// Losses on which Local SGD is SGD.
void no_additional_drift(const Setting& s, const std::string& loss, Measured& m) {
  const auto p = problem(loss);
  const Vector u = noise_directions(p).col(0);
  auto pairing = stationary(p, local_sgd(s, s.seed_of(13, 0), 0.005, 8, 0.5, 8), 0.5, s.paths(1024));
  pairing.predictions = {sgd_prediction(pairing)};
  pairing.functions = {along(u, p.start_on_gamma), product_along(u, u, p.start_on_gamma)};
  const auto r = paired(s, m, p, pairing);
  const double spread = std::sqrt(r.algorithm.back()[0].variance());
  m.rows.push_back(gap_row(13, loss, "drift of Local SGD / standard deviation, against SGD's slow SDE", r, 0, 0, spread,
                           0.02 * s.margin));
  m.rows.push_back(gap_row(13, loss, "second moment of Local SGD / that of SGD's slow SDE", r, 0, 1,
                           r.drift[0].back()[1].mean, 0.03 * s.margin));
}

void wrong_predictions(const Setting& s, const std::string& loss, Measured& m) {
  const auto p = problem(loss);
  const double half = 0.03 * s.margin;
  auto pairing = stationary(p, local_sgd(s, s.seed_of(13, 0), 0.005, 4, 0.5, 8), 0.25, s.paths(2048));
  enum { kDrift, kSharpness };
  pairing.functions = {slow_variable(loss), verify::sharpness()};
  std::vector<std::size_t> functions{kDrift};
  const auto spoil = [&](const std::string& name, std::size_t function, auto change) {
    auto w = pairing.predictions.front();
    w.name = name;
    change(w);
    pairing.predictions.push_back(w);
    functions.push_back(function);
  };
  spoil("control: drift-II dropped", kDrift, [](auto& w) { w.parameters.workers = 1; });
  spoil("control: SGD's prediction with the workers' batch", kDrift, [](auto& w) {
    w.parameters.batch /= w.parameters.workers;
    w.parameters.workers = 1;
  });
  spoil("control: K - 1 for K", kDrift, [](auto& w) { --w.parameters.workers; });
  spoil("control: change of sharpness from an eta 10% too large", kSharpness, [](auto& w) {
    w.time_scale = 1.1 * 1.1;
    w.parameters.alpha *= 1.1;
  });
  const auto r = paired(s, m, p, pairing);
  const double scale[] = {r.drift[0].back()[kDrift].mean, r.drift[0].back()[kSharpness].mean};
  m.rows.push_back(gap_row(13, loss, "drift / slow SDE's, beside its controls", r, 0, kDrift, scale[kDrift], half));
  m.rows.push_back(gap_row(13, loss, "change of tr Hess / slow SDE's", r, 0, kSharpness, scale[kSharpness], half));
  for (std::size_t w = 1; w < pairing.predictions.size(); ++w) {
    m.rows.push_back(gap_row(13, loss, pairing.predictions[w].name, r, w, functions[w], scale[functions[w]], half));
    m.rows.back().control = true;
  }
  if (loss != "ring") return;
  // Psi_hat's tangent-normal blocks, dropped at the start: over this time their drift changes little, and it is large.
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const auto& parameters = pairing.predictions.front().parameters;
  auto diagonal = p;
  diagonal.noise = without_tangent_normal(p.noise, *terms, p.model->dim());
  const auto split = diagonal.terms();
  split->compute(p.start_on_gamma.data());
  const double dropped =
      (terms->contraction(slow::Term::drift_2, parameters) - split->contraction(slow::Term::drift_2, parameters))[0] *
      r.slow_time.back() / scale[kDrift];
  Row row = gap_row(13, loss, "control: Psi_hat without tangent-normal blocks", r, 0, kDrift, scale[kDrift], half);
  row.predicted -= dropped;
  row.control = true;
  m.rows.push_back(row);
}

Measured measure(const Setting& s, const std::string& loss) {
  Measured m;
  if (loss == "sphere" || loss == "flat")
    no_additional_drift(s, loss, m);
  else
    wrong_predictions(s, loss, m);
  return m;
}

}  // namespace

Claim negative_controls() {
  return {
      13,
      "Negative controls: on sphere and flat Local SGD equals SGD; wrong predictions for Local SGD are rejected",
      "sections 3 and 7",
      "sphere, flat: moments along Gamma beside SGD's slow SDE; others: the drift beside predictions with one fault",
      "0.02 of a standard deviation, 0.03 of the second moment, 0.03 of the drift",
      {"sphere", "flat", "valley", "ring", "hyperbola"},
      "not measured: claims 1 to 9 have controls of their own there",
      measure};
}

}  // namespace sde::claims
