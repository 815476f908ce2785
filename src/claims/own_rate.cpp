#include <fmt/format.h>

#include "ladder.hpp"

namespace sde::claims {

namespace {

/// A gap that Monte Carlo shows.
bool seen(const stats::Moments& gap) { return std::abs(gap.mean) > 3 * gap.standard_error(); }

/// Paths that left the domain are the algorithm's answer to a rate too large, and no moment knows of them.
void lost_row(const Case& c, double eta, const verify::PairedResult& r, Measured& m) {
  if (r.lost == 0) return;
  const double n = static_cast<double>(r.paths), share = static_cast<double>(r.lost) / n;
  Row row;
  row.claim = 4;
  row.name = c.name;
  row.quantity = fmt::format("share of the paths that left every neighbourhood of Gamma, eta = {}", eta);
  row.measured = share;
  row.standard_error = std::sqrt(std::max(share * (1 - share), 1 / n) / n);
  row.low = -kInfinity;
  row.high = 0.01;
  row.gradients = r.gradients;
  m.rows.push_back(row);
}

/// What the order says about the error at the case's own rate.
std::string sentence(const Case& c, const Ladder& l, const Largest& worst, double margin) {
  const std::size_t own = c.designs.weak_error.own;
  const auto& order = l.order;
  const double error = worst.value;
  const auto& g = c.functions[worst.function].name;
  const auto head =
      fmt::format("{}: at eta = {} the slow SDE is off by {:.2g} +- {:.1g} of the scale of {} (margin {:.2g})", c.name,
                  l.eta[own], error, worst.bound - error, g, margin);
  if (own < l.first)
    return fmt::format("{}: at eta = {} paths are lost: this rate is beyond the algorithm's own stability", c.name,
                       l.eta[own]);
  if (!seen(l.gap(l.first, kTheory))) return head + ", no more than the Monte Carlo error";
  const auto interval = fmt::format("{:.2f} [{:.2f}, {:.2f}]", order.order, order.low, order.high);
  if (order.low > 0.25) {
    auto text =
        fmt::format("{}; the error falls like eta^{}: an error of finite eta, not of the slow SDE", head, interval);
    if (error > margin)
      text += fmt::format("; by that order it is inside the margin from eta = {:.2g} down",
                          l.eta[own] * std::pow(margin / error, 1 / order.order));
    return text;
  }
  if (order.high < 0.25)
    return fmt::format("{}; the error does not fall with eta (order {}): the slow SDE, not eta, is at fault", head,
                       interval);
  return fmt::format("{}; its order in eta is not determined: {}", head, interval);
}

}  // namespace

void own_rate(const Setting& s, const Case& c, const Ladder& l, Measured& m) {
  const auto& d = c.designs.weak_error;
  const auto& r = l.runs[d.own];
  const double margin = d.margin * s.margin;
  const auto worst = largest(r, l.choice, kTheory);
  const auto& g = c.functions[worst.function].name;
  Row row;
  row.claim = 4;
  row.name = c.name;
  row.quantity = fmt::format("weak error at eta = {} / scale of g, worst: {} at slow time {:.3g}", l.eta[d.own], g,
                             r.slow_time[worst.time]);
  row.measured = worst.value;
  row.standard_error = (worst.bound - worst.value) / 1.959964;
  row.low = -kInfinity;
  row.high = margin;
  row.of = static_cast<int>(r.slow_time.size() * c.functions.size());
  row.step_error = std::abs(r.step_error[kTheory][worst.time][worst.function].mean) / l.choice.scale[worst.function];
  row.gradients = r.gradients;
  row.lost = static_cast<double>(r.lost) / static_cast<double>(r.paths);
  m.rows.push_back(row);
  lost_row(c, l.eta[d.own], r, m);
  m.notes.push_back(sentence(c, l, worst, margin));
}

std::string order_hidden(const Case& c, const Ladder& l) {
  if (c.designs.weak_error.own >= l.eta.size() || seen(l.gap(l.first, kTheory))) return "";
  return fmt::format("no error is seen above the Monte Carlo error, not at eta = {} either", l.eta[l.first]);
}

std::string drift_2_hidden(const Case& c, const Ladder& l) {
  const auto& d = c.designs.weak_error;
  if (d.own >= l.eta.size()) return "";
  if (d.workers == 1) return "SGD has no drift-II";
  if (!c.additional_drift) return "there is no drift-II on this problem";
  const auto at = [&](std::size_t rate, std::size_t prediction) {
    return std::abs(l.runs[rate].gap[prediction][l.without.time][l.without.function].mean);
  };
  const double own = at(l.first, kTheory), drift_2 = at(l.runs.size() - 1, kWithoutDrift2);
  if (3 * own < drift_2) return "";
  return fmt::format("drift-II moves {} by {:.2g}, the theory's own error at eta = {} is {:.2g}",
                     c.functions[l.without.function].name, drift_2, l.eta[l.first], own);
}

}  // namespace sde::claims
