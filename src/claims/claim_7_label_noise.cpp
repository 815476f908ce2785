#include <fmt/format.h>

#include "measuring.hpp"

namespace sde::claims {

namespace {

/// tr Hess under one algorithm; the second prediction leaves drift-II out.
verify::PairedResult sharpness_run(const Setting& s, Measured& m, const Case& c, int run, int K, double alpha,
                                   double time, long paths) {
  const auto& design = c.designs.label_noise;
  auto pairing = stationary(c, local_sgd(s, s.seed_of(7, run), design.eta, K, alpha, design.batch), time, design.dt,
                            s.paths(paths));
  pairing.functions = {verify::sharpness()};
  pairing.predictions.push_back(sgd_prediction(pairing));
  return paired(s, m, c, pairing);
}

/// The fall of tr Hess beside the slow ODE's, and beside that without drift-II.
void fall_rows(const Setting& s, const Case& c, Measured& m, int run, int K, double alpha) {
  const auto& design = c.designs.label_noise;
  const double half = design.margin * s.margin;
  const auto r = sharpness_run(s, m, c, run, K, alpha, design.time, design.paths);
  const double fall = r.drift[0].back()[0].mean;
  const auto name = K == 1 ? std::string("SGD") : fmt::format("K = {}, alpha = {}", K, alpha);
  m.rows.push_back(gap_row(7, c, "fall of tr Hess / slow ODE's, " + name, r, 0, 0, fall, half));
  const auto control = "control: without drift-II, " + name;
  if (K == 1 || !apart(m, control, r, 1, 0, fall, half)) return;
  m.rows.push_back(gap_row(7, c, control, r, 1, 0, fall, half));
  m.rows.back().control = true;
}

/// Ratio of the initial falls of Local SGD and SGD beside that of their slow ODEs, each from where its comparison
/// began.
Row speed_up(const Setting& s, const Case& c, double alpha, const verify::PairedResult& local,
             const verify::PairedResult& sgd) {
  const auto& design = c.designs.label_noise;
  const auto &a = local.increment.back()[0], &b = sgd.increment.back()[0];
  Row row;
  row.claim = 7;
  row.name = c.name;
  row.quantity = fmt::format("speed-up over SGD, at most K, alpha = {}", alpha);
  const double times = local.slow_time.back() / sgd.slow_time.back();
  row.measured = a.mean / b.mean / times;
  row.predicted = local.drift[0].back()[0].mean / sgd.drift[0].back()[0].mean / times;
  row.standard_error = row.measured * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean);
  const double half = design.margin * s.margin * row.predicted;
  row.high = std::min(half, design.workers - row.predicted);
  row.low = std::max(-half, 1 - row.predicted);
  row.gradients = local.gradients + sgd.gradients;
  return row;
}

/// At a small alpha drift-II is far from its limit, so the speed-up far from K.
void full_speed_control(const Setting& s, const Case& c, Measured& m, double alpha) {
  const auto& design = c.designs.label_noise;
  Row control = m.rows.back();
  control.quantity = fmt::format("control: speed-up K at alpha = {}", alpha);
  const double distance = std::abs(design.workers - control.predicted);
  control.predicted = design.workers;
  control.high = design.margin * s.margin * design.workers;
  control.low = -control.high;
  control.control = true;
  if (apart(m, control.quantity, distance, control.high)) m.rows.push_back(control);
}

Measured measure(const Setting& s, const Case& c) {
  const auto& design = c.designs.label_noise;
  Measured m;
  int run = 0;
  if (design.sgd) fall_rows(s, c, m, ++run, 1, 0);
  for (const double alpha : design.fall_alpha) fall_rows(s, c, m, ++run, design.workers, alpha);
  if (design.workers == 1) return m;
  const auto sgd = sharpness_run(s, m, c, ++run, 1, 0, design.short_time, design.sgd_short_paths);
  for (const double alpha : design.alpha) {
    const auto local = sharpness_run(s, m, c, ++run, design.workers, alpha, design.short_time, design.short_paths);
    m.rows.push_back(speed_up(s, c, alpha, local, sgd));
    if (alpha == design.alpha.front()) full_speed_control(s, c, m, alpha);
  }
  return m;
}

}  // namespace

Claim label_noise() {
  return {7,
          "Label noise: sharpness follows the slow ODEs; Local SGD reduces it up to K times faster",
          "section 4",
          "fall of tr Hess over slow time 1 beside the ODE's; ratio of the initial falls of Local SGD (K = 8) and SGD "
          "beside the ODEs'",
          "0.03 relative; the speed-up also between 1 and K",
          "not applicable: the claim is about squared losses under label noise, and is measured on three",
          measure};
}

}  // namespace sde::claims
