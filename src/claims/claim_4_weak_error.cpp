#include <fmt/format.h>

#include "ladder.hpp"
#include "law.hpp"
#include "sde/verify/multilevel.hpp"

namespace sde::claims {

namespace {

void order_rows(const Case& c, const Ladder& l, Measured& m) {
  const auto& g = c.functions[l.choice.function].name;
  for (std::size_t i = 0; i < l.eta.size(); ++i) {
    const auto point = [&](std::size_t prediction, const char* name) {
      const auto& gap = l.gap(i, prediction);
      m.points.push_back({fmt::format("{}: {}", c.name, name), l.eta[i], std::abs(gap.mean), gap.standard_error()});
    };
    point(kTheory, "slow SDE");
    point(kRefined, "refined");
  }
  if (const auto why = order_hidden(c, l); !why.empty()) {
    m.skipped.push_back({"order of the weak error", why});
    return;
  }
  m.rows.push_back(order_row(c, fmt::format("order of the weak error of {}, furthest off", g), l.order, l.gradients));
  const std::string control = "control: order with drift-II dropped";
  if (const auto why = drift_2_hidden(c, l); !why.empty()) {
    m.skipped.push_back({control, why});
    return;
  }
  m.rows.push_back(order_row(c, control, l.order_of(kWithoutDrift2, l.without), l.gradients));
  m.rows.back().control = true;
}

/// The largest error over all s and g: smallest rate over largest.
void whole_row(const Case& c, const Ladder& l, Measured& m) {
  const auto coarse = largest(l.runs.front(), l.choice, kTheory), fine = largest(l.runs.back(), l.choice, kTheory);
  const auto& reference = l.gap(0, kTheory);
  const double at_coarse = std::abs(reference.mean) / l.choice.scale[l.choice.function];
  Row row = order_row(c, "", l.order, l.gradients);
  row.quantity = fmt::format("max over s and g of the error: eta = {} over {}", l.eta.back(), l.eta.front());
  row.measured = fine.value / coarse.value;
  row.predicted = std::pow(l.eta.back() / l.eta.front(), 0.25);
  // The simultaneous bound of the smallest rate over the largest rate's error at the place chosen beforehand.
  const double relative = reference.standard_error() / std::abs(reference.mean);
  row.standard_error = std::hypot(fine.bound / at_coarse - row.measured, 1.959964 * row.measured * relative) / 1.959964;
  row.low = -kInfinity;
  row.high = 0;
  m.rows.push_back(row);
}

void notes(const Case& c, const Ladder& l, Measured& m) {
  const auto& g = c.functions[l.choice.function].name;
  const auto &a = l.gap(0, kTheory), &b = l.gap(0, kRefined);
  m.notes.push_back(fmt::format(
      "{}: refinement of section 6 at eta = {}: error {:.2g} +- {:.1g} of {} against {:.2g} +- {:.1g} of the limit; "
      "order {:.2f} [{:.2f}, {:.2f}] against {:.2f} [{:.2f}, {:.2f}]",
      c.name, l.eta[0], std::abs(b.mean), 1.96 * b.standard_error(), g, std::abs(a.mean), 1.96 * a.standard_error(),
      l.refined.order, l.refined.low, l.refined.high, l.order.order, l.order.low, l.order.high));
  // Gains against plain Monte Carlo with the algorithm alone: the slow SDE's steps cost no gradients.
  const auto& last = l.runs.back();
  const std::size_t q = l.choice.function;
  const double common = last.algorithm.back()[q].variance() / last.gap[kTheory].back()[q].variance();
  if (last.prediction[kTheory].back()[q].variance() < 1e-18) {
    m.notes.push_back(
        fmt::format("{}: zeta is not random under label noise: common noise has nothing to cancel", c.name));
    return;
  }
  m.notes.push_back(fmt::format(
      "{}: at eta = {} common noise reaches the same interval for {} with {:.0f} times fewer gradient evaluations than "
      "plain Monte Carlo (and {:.2g} steps of slow SDEs)",
      c.name, l.eta.back(), g, common, last.slow_steps));
}

/// An independent estimate of E g(Phi(avg)) at the smallest rate, and what it cost.
void multilevel_note(const Setting& s, const Case& c, const Ladder& l, Measured& m) {
  const auto& d = c.designs.weak_error;
  const auto& g = c.functions[l.choice.function];
  const auto finest = local_sgd(s, s.seed_of(4, 100), d.eta.back(), d.workers, d.alpha, d.batch);
  const auto hierarchy = verify::levels_in_eta(c.problem, finest, g, l.runs.back().slow_time.back(), 4, s.control);
  const auto& plain = l.runs.back().algorithm.back()[l.choice.function];
  const auto r = verify::multilevel(hierarchy, std::sqrt(plain.variance() / 65536 / s.effort), s.paths(256));
  m.gradients += r.cost;
  m.notes.push_back(
      fmt::format("{}: E {} of Local SGD at eta = {}: {:.6f} +- {:.1g} by multilevel Monte Carlo in eta ({:.0f} times "
                  "fewer gradient "
                  "evaluations than plain), {:.6f} +- {:.1g} plain",
                  c.name, g.name, finest.rate.eta, r.mean, 1.96 * r.standard_error, r.gain(), plain.mean,
                  1.96 * plain.standard_error()));
}

Measured measure(const Setting& s, const Case& c) {
  const auto& d = c.designs.weak_error;
  Measured m;
  const auto l = climb(s, c, m);
  if (d.own < d.eta.size()) own_rate(s, c, l, m);
  order_rows(c, l, m);
  if (!d.whole) return m;
  whole_row(c, l, m);
  notes(c, l, m);
  if (c.diffuses) {  // under label noise zeta is not random, and draws of signs have no sums
    multilevel_note(s, c, l, m);
    compare_laws(s, 4, c, m);
  }
  return m;
}

}  // namespace

Claim weak_error() {
  return {
      4,
      "Weak error: max over s of |E g(Phi(avg_s)) - E g(zeta)| falls at least like eta^(1/4)",
      "theorem of section 3, first part",
      "five learning rates over a factor of 16, alpha = 0.4, K = 4, up to slow time 1, g among coordinates, squares, "
      "tanh, tr Hess: the fitted order where a run of its own saw the largest error; the largest error over all s "
      "and g, smallest rate over largest; the law of x1 at slow time 2",
      "order at least 1/4, ratio at most 16^(-1/4) (one-sided); KS distance 0.1",
      "not measured: the theorem's experiment is made on four losses with different noises",
      measure};
}

}  // namespace sde::claims
