#include <fmt/format.h>

#include "measuring.hpp"
#include "without_tangent_normal.hpp"

namespace sde::claims {

namespace {

/// Where Local SGD is SGD.
void no_additional_drift(const Setting& s, const Case& c, Measured& m) {
  const auto& p = c.problem;
  const auto& design = c.designs.controls;
  const Vector u = noise_directions(p).col(0);
  auto pairing = stationary(c, local_sgd(s, s.seed_of(13, 0), design.eta, design.workers, design.alpha, design.batch),
                            design.time, design.dt, s.paths(design.paths));
  pairing.predictions = {sgd_prediction(pairing)};
  pairing.functions = {along(u, p.start_on_gamma), product_along(u, u, p.start_on_gamma)};
  const auto r = paired(s, m, c, pairing);
  const double spread = std::sqrt(r.algorithm.back()[0].variance());
  m.rows.push_back(gap_row(13, c, "drift of Local SGD / standard deviation, against SGD's slow SDE", r, 0, 0, spread,
                           design.deviation_margin * s.margin));
  m.rows.push_back(gap_row(13, c, "second moment of Local SGD / that of SGD's slow SDE", r, 0, 1,
                           r.drift[0].back()[1].mean, design.margin * s.margin));
}

enum { kDrift, kSharpness };  // functions

/// A prediction with one fault, and the function that shows it.
struct Wrong {
  verify::Prediction prediction;
  std::size_t function;
};

std::vector<Wrong> wrong_predictions(const verify::Prediction& right) {
  std::vector<Wrong> all;
  const auto spoil = [&](const std::string& name, std::size_t function, auto change) {
    auto w = right;
    w.name = name;
    change(w);
    all.push_back({w, function});
  };
  spoil("control: drift-II dropped", kDrift, [](auto& w) { w.parameters.workers = 1; });
  spoil("control: SGD's prediction with the workers' batch", kDrift, [](auto& w) {
    w.parameters.batch /= w.parameters.workers;
    w.parameters.workers = 1;
  });
  // Of two workers, one is left: drift-II dropped.
  if (right.parameters.workers != 2) spoil("control: K - 1 for K", kDrift, [](auto& w) { --w.parameters.workers; });
  spoil("control: change of sharpness from an eta 10% too large", kSharpness, [](auto& w) {
    w.time_scale = 1.1 * 1.1;
    w.parameters.alpha *= 1.1;
  });
  return all;
}

/// Psi_hat's tangent-normal blocks, dropped at the start: over this time their drift changes little.
void without_tangent_normal_row(const Case& c, Measured& m, const slow::Parameters& parameters,
                                const verify::PairedResult& r, double scale, double half) {
  const auto& p = c.problem;
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  auto diagonal = p;
  diagonal.noise = without_tangent_normal(p.noise, *terms, p.model->dim());
  const auto split = diagonal.terms();
  split->compute(p.start_on_gamma.data());
  const Vector difference =
      terms->contraction(slow::Term::drift_2, parameters) - split->contraction(slow::Term::drift_2, parameters);
  const auto& g = c.slow_variable;
  const double rate = g.smooth() ? g.flat().derivative(p.start_on_gamma.data(), difference.data())
                                 : terms->gradient_of_trace().dot(difference);
  const double dropped = rate * r.slow_time.back() / scale;
  Row row = gap_row(13, c, "control: Psi_hat without tangent-normal blocks", r, 0, kDrift, scale, half);
  row.predicted -= dropped;
  row.control = true;
  if (apart(m, row.quantity, std::abs(dropped), half)) m.rows.push_back(row);
}

void controls(const Setting& s, const Case& c, Measured& m) {
  const auto& design = c.designs.controls;
  const double half = design.margin * s.margin;
  auto pairing = stationary(c, local_sgd(s, s.seed_of(13, 0), design.eta, design.workers, design.alpha, design.batch),
                            design.time, design.dt, s.paths(design.paths));
  pairing.functions = {c.slow_variable, verify::sharpness()};
  const auto wrong = wrong_predictions(pairing.predictions.front());
  for (const auto& w : wrong) pairing.predictions.push_back(w.prediction);
  const auto r = paired(s, m, c, pairing);
  const double scale[] = {r.drift[0].back()[kDrift].mean, r.drift[0].back()[kSharpness].mean};
  m.rows.push_back(gap_row(13, c, "drift / slow SDE's, beside its controls", r, 0, kDrift, scale[kDrift], half));
  if (c.sharpness_changes)
    m.rows.push_back(gap_row(13, c, "change of tr Hess / slow SDE's", r, 0, kSharpness, scale[kSharpness], half));
  else
    m.skipped.push_back({"change of tr Hess", "tr Hess hardly changes from this start"});
  for (std::size_t w = 0; w < wrong.size(); ++w) {
    const auto& [prediction, function] = wrong[w];
    if (function == kSharpness && !c.sharpness_changes) continue;
    if (!apart(m, prediction.name, r, w + 1, function, scale[function], half)) continue;
    m.rows.push_back(gap_row(13, c, prediction.name, r, w + 1, function, scale[function], half));
    m.rows.back().control = true;
  }
  if (c.tangent_normal)
    without_tangent_normal_row(c, m, pairing.predictions.front().parameters, r, scale[kDrift], half);
}

Measured measure(const Setting& s, const Case& c) {
  Measured m;
  if (c.additional_drift)
    controls(s, c, m);
  else
    no_additional_drift(s, c, m);
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
      "not measured: claims 1 to 9 have controls of their own there",
      measure};
}

}  // namespace sde::claims
