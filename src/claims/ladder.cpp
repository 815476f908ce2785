#include "ladder.hpp"

#include <fmt/format.h>

namespace sde::claims {

Choice choose(const verify::PairedResult& pilot, std::size_t prediction) {
  Choice c;
  double most = -1;
  for (std::size_t q = 0; q < pilot.gap[0][0].size(); ++q) {
    const auto &change = pilot.increment.back()[q], &value = pilot.algorithm.back()[q];
    // A g that does not move along Gamma (valley's x2) has rounding errors for a scale: it takes no part.
    const double scale = std::abs(change.mean) + std::sqrt(value.variance());
    c.scale.push_back(scale > 1e-9 ? scale : kInfinity);
    for (std::size_t t = 0; t < pilot.slow_time.size(); ++t) {
      const double off = std::abs(pilot.gap[prediction][t][q].mean) / c.scale[q];
      if (off > most) most = off, c.time = t, c.function = q;
    }
  }
  return c;
}

Largest largest(const verify::PairedResult& r, const Choice& c, std::size_t prediction) {
  const double count = static_cast<double>(r.slow_time.size() * c.scale.size());
  const double z = stats::normal_quantile_tail(0.0125 / count);  // two-sided, simultaneous
  Largest l;
  for (std::size_t t = 0; t < r.slow_time.size(); ++t)
    for (std::size_t q = 0; q < c.scale.size(); ++q) {
      const auto& gap = r.gap[prediction][t][q];
      const double off = std::abs(gap.mean) / c.scale[q];
      if (off > l.value) l.value = off, l.time = t, l.function = q;
      l.bound = std::max(l.bound, (std::abs(gap.mean) + z * gap.standard_error()) / c.scale[q]);
    }
  return l;
}

stats::Power Ladder::order_of(std::size_t prediction, const Choice& c) const {
  std::vector<double> rate, off, error;
  for (std::size_t i = first; i < runs.size(); ++i) {
    const auto& g = runs[i].gap[prediction][c.time][c.function];
    rate.push_back(eta[i]);
    off.push_back(g.mean);
    error.push_back(g.standard_error());
  }
  return stats::fit_power(rate, off, error);
}

namespace {

verify::PairedResult run_at(const Setting& s, Measured& m, const Case& c, std::size_t rate, int run) {
  const auto& d = c.designs.weak_error;
  verify::Pairing pairing;
  pairing.algorithm = local_sgd(s, s.seed_of(4, run), d.eta[rate], d.workers, d.alpha, d.batch);
  pairing.predictions = {verify::theory(pairing.algorithm, c.factors), verify::refined(pairing.algorithm, c.factors)};
  pairing.predictions.push_back(sgd_prediction(pairing));
  pairing.times = d.times;
  pairing.dt = d.dt;
  pairing.functions = c.functions;
  // Larger rates cost less and show more of the error: more paths where they are cheap.
  pairing.paths = s.paths(d.paths << (d.eta.size() - 1 - rate));
  auto problem = c.problem;
  problem.start = c.start;
  auto r = verify::run_paired(problem, pairing, s.control);
  m.gradients += r.gradients;
  return r;
}

bool lost_too_many(const verify::PairedResult& r) {
  return static_cast<double>(r.lost) > Row::kMostLost * static_cast<double>(r.paths);
}

}  // namespace

Ladder climb(const Setting& s, const Case& c, Measured& m) {
  Ladder l;
  const auto& eta = c.designs.weak_error.eta;
  auto pilot = run_at(s, m, c, 0, 0);
  while (lost_too_many(pilot) && l.first + 3 < eta.size()) {
    ++l.first;
    pilot = run_at(s, m, c, l.first, 50 + static_cast<int>(l.first));
  }
  l.choice = choose(pilot, kTheory);
  l.without = choose(pilot, kWithoutDrift2);
  const double before = m.gradients;
  for (std::size_t i = 0; i < eta.size(); ++i) {
    l.runs.push_back(run_at(s, m, c, i, static_cast<int>(i) + 1));
    l.eta.push_back(eta[i] * s.eta);
  }
  l.gradients = m.gradients - before;
  l.order = l.order_of(kTheory, l.choice);
  l.refined = l.order_of(kRefined, l.choice);
  return l;
}

Row order_row(const Case& c, const std::string& quantity, const stats::Power& fit, double gradients) {
  Row row;
  row.claim = 4;
  row.name = c.name;
  row.quantity = quantity;
  row.measured = fit.order;
  row.predicted = 0.25;
  // The interval is not symmetric: its side towards the margin counts.
  row.standard_error = (fit.order > 0.25 ? fit.order - fit.low : fit.high - fit.order) / 1.959964;
  row.high = kInfinity;  // at least as fast as the theorem
  row.gradients = gradients;
  row.scales = false;
  return row;
}

}  // namespace sde::claims
