#include <fmt/format.h>

#include "cases.hpp"
#include "without_tangent_normal.hpp"

namespace sde::claims {

namespace {

/// Losses on which Local SGD is SGD.
void no_additional_drift(const Setting& s, const std::string& loss, Measured& m) {
  const auto p = problem(loss);
  auto pairing = stationary(p, local_sgd(s, 0.005, 8, 0.5, 8), 0.5, s.paths(1024));
  pairing.predictions = {sgd_prediction(pairing)};
  pairing.functions = {along_noise(p, 1), along_noise(p, 2)};
  const auto r = verify::run_paired(p, pairing, s.control);
  const double spread = std::sqrt(r.algorithm.back()[0].variance());
  m.rows.push_back(
      gap_row(13, loss, "drift of Local SGD minus SGD's / standard deviation", r, 0, 0, spread, 0.02 * s.margin));
  m.rows.push_back(
      gap_row(13, loss, "second moment of Local SGD / SGD's", r, 0, 1, r.drift[0].back()[1].mean, 0.03 * s.margin));
}

void wrong_predictions(const Setting& s, const std::string& loss, Measured& m) {
  const auto p = problem(loss);
  const double half = 0.03 * s.margin;
  auto pairing = stationary(p, local_sgd(s, 0.005, 4, 0.5, 8), 0.25, s.paths(2048));
  pairing.functions = {slow_variable(loss)};
  const auto spoil = [&](const std::string& name, auto change) {
    auto w = pairing.predictions.front();
    w.name = name;
    change(w);
    pairing.predictions.push_back(w);
  };
  spoil("control: drift-II dropped", [](auto& w) { w.parameters.workers = 1; });
  spoil("control: SGD's prediction with the workers' batch", [](auto& w) {
    w.parameters.batch /= w.parameters.workers;
    w.parameters.workers = 1;
  });
  spoil("control: K - 1 for K", [](auto& w) { --w.parameters.workers; });
  spoil("control: eta 10% too large", [](auto& w) { w.time_scale = 1.1 * 1.1; });
  const auto r = verify::run_paired(p, pairing, s.control);
  const double scale = r.drift[0].back()[0].mean;
  m.rows.push_back(gap_row(13, loss, "drift / slow SDE's, beside its controls", r, 0, 0, scale, half));
  for (std::size_t w = 1; w < pairing.predictions.size(); ++w) {
    m.rows.push_back(gap_row(13, loss, pairing.predictions[w].name, r, w, 0, scale, half));
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
      r.slow_time.back() / scale;
  Row row = gap_row(13, loss, "control: Psi_hat without tangent-normal blocks", r, 0, 0, scale, half);
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
      "the controls need a closed form or a known drift",
      measure};
}

}  // namespace sde::claims
