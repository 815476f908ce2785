// Claims 10 to 12: methods of an experiment file beside each other at the end, as its [verify.comparison] expects them.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "claim.hpp"
#include "comparing.hpp"

namespace sde::claims {

namespace {

using ensemble::MethodResult;

/// What was measured of one of several claims' files.
Measured measure_claim(int number, const Setting& s, const Case& c) {
  const auto& e = *c.compared;
  const auto& comparison = *e.comparison;
  Measured m;
  std::map<std::size_t, MethodResult> results;
  const auto result_of = [&](std::size_t method) -> const MethodResult& {
    const auto found = results.find(method);
    if (found != results.end()) return found->second;
    auto own = e.methods[method];
    own.paths = s.paths(own.paths);
    // Each draws noise of its own, so that the errors of two methods are independent.
    own.algorithm.seed = s.seed_of(number, static_cast<int>(method));
    auto& r = results[method] = ensemble::run(e.problem, own, experiment::observation_of(e, method), s.control);
    m.gradients += r.gradients;
    for (const auto& observable : comparison.observables)
      for (std::size_t t = 0; t < r.slow_time.size(); ++t) {
        const auto& v = r.at(t, observable);
        m.points.push_back({observable + ": " + own.name, r.slow_time[t], v.mean, v.standard_error()});
      }
    return r;
  };
  for (const auto& pair : comparison.pairs) {
    const auto &baseline = result_of(pair.baseline), &other = result_of(pair.method);
    for (const auto& observable : comparison.observables) {
      const auto &b = baseline.at(baseline.slow_time.size() - 1, observable),
                 &o = other.at(other.slow_time.size() - 1, observable);
      const double ratio = o.mean / b.mean;
      Row row;
      row.claim = number;
      row.name = e.methods[pair.method].name;
      row.quantity = fmt::format("{}, end / that of {}", observable, e.methods[pair.baseline].name);
      row.measured = ratio;
      row.predicted = 1;
      row.standard_error = std::hypot(o.standard_error(), ratio * b.standard_error()) / std::abs(b.mean);
      const double margin = comparison.margin * s.margin;
      row.low = comparison.better ? -kInfinity : -margin;
      row.high = comparison.better ? -margin : kInfinity;
      row.gradients = baseline.gradients + other.gradients;
      row.lost = static_cast<double>(baseline.lost + other.lost) / static_cast<double>(baseline.paths + other.paths);
      m.rows.push_back(row);
      // The opposite has to be rejected: not below, or below by three margins.
      Row control = row;
      control.control = true;
      control.quantity =
          fmt::format("control: {} {} of {}", observable, comparison.better ? "at least that" : "far below that",
                      e.methods[pair.baseline].name);
      control.low = comparison.better ? 0 : -kInfinity;
      control.high = comparison.better ? kInfinity : -3 * margin;
      m.rows.push_back(control);
    }
  }
  return m;
}

Measured measure_10(const Setting& s, const Case& c) { return measure_claim(10, s, c); }
Measured measure_11(const Setting& s, const Case& c) { return measure_claim(11, s, c); }
Measured measure_12(const Setting& s, const Case& c) { return measure_claim(12, s, c); }

constexpr const char* kElsewhere =
    "not measured without a file: it is about methods of an experiment with a [verify.comparison], e.g. "
    "experiments/generalization";

}  // namespace

Claim generalization() {
  return {
      10,
      "Generalization: Local SGD ends with less test error and sharpness than SGD if the rate is small and training "
      "long, and not otherwise",
      "introduction, sections 3 and 4",
      "the observable at the end over the baseline's",
      "the file's, of the baseline's",
      kElsewhere,
      measure_10};
}
Claim quadratic_rule() {
  return {
      11,
      "QSR: under a decaying rate the final sharpness of H ~ 1/eta^2 is below that of H ~ 1/eta, and that below that "
      "of a constant H",
      "arXiv 2310.14423",
      "the observable at the end over that of the method before it",
      "the file's",
      kElsewhere,
      measure_11};
}
Claim less_diffusion() {
  return {12,           "Less diffusion at the same drift (a larger batch by more workers) does not remove the benefit",
          "section 4",  "the observable at the end over the baseline's",
          "the file's", kElsewhere,
          measure_12};
}

Case comparison_case(const experiment::Experiment& e) {
  Case c;
  c.name = e.title;
  c.compared = std::make_shared<const experiment::Experiment>(e);
  for (const auto& claim : all())
    if (claim.number != e.comparison->claim)
      c.not_applicable[claim.number] =
          fmt::format("the file's [verify.comparison] is about claim {}", e.comparison->claim);
  return c;
}

}  // namespace sde::claims
