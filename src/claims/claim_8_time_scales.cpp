#include <fmt/format.h>

#include "cases.hpp"

namespace sde::claims {

namespace {

/// E of Local SGD minus E of SGD, each counted from its start.
struct Separation {
  double measured, predicted, error, step_error, gradients;
};
Separation separation(const Setting& s, const std::string& loss, const ensemble::Problem& p, double eta, double time,
                      long paths) {
  const auto run = [&](int K, std::uint64_t seed) {
    auto a = local_sgd(s, eta, K, 0.5, 8);
    a.seed = seed;
    auto pairing = stationary(p, a, time, s.paths(paths));
    pairing.functions = {slow_variable(loss)};
    pairing.dt = std::min(0.005, time / 2);
    return verify::run_paired(p, pairing, s.control);
  };
  const auto local = run(8, s.seed), sgd = run(1, s.seed + 1);
  const auto &a = local.increment.back()[0], &b = sgd.increment.back()[0];
  // Slow times are whole rounds: SGD's is brought to that of Local SGD.
  const double to_local = local.slow_time.back() / sgd.slow_time.back();
  return {a.mean - to_local * b.mean, local.drift[0].back()[0].mean - to_local * sgd.drift[0].back()[0].mean,
          std::hypot(a.standard_error(), to_local * b.standard_error()), std::abs(local.step_error[0].back()[0].mean),
          local.gradients + sgd.gradients};
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  constexpr double kEta = 0.005, kTime = 1;
  const double eta = kEta * s.eta;
  const auto late = separation(s, loss, p, kEta, kTime, 1024);
  const auto early = separation(s, loss, p, kEta, 2 * eta, 1024);  // 2/eta steps
  Measured m;
  const auto row_of = [&](const Separation& x, double predicted, const std::string& quantity, double half) {
    Row row;
    row.claim = 8;
    row.loss = loss;
    row.quantity = quantity;
    row.measured = x.measured / late.predicted;
    row.predicted = predicted;
    row.standard_error = x.error / std::abs(late.predicted);
    row.high = half * s.margin;
    row.low = -row.high;
    row.step_error = x.step_error / std::abs(late.predicted);
    row.gradients = x.gradients;
    return row;
  };
  m.rows.push_back(row_of(early, 0, "separation after 2/eta steps / that after 1/eta^2", 0.05));
  m.rows.push_back(row_of(late, 1, "separation after 1/eta^2 steps / predicted", 0.05));
  Row control = row_of(late, 0, "control: no separation after 1/eta^2 steps", 0.05);
  control.control = true;
  m.rows.push_back(control);
  for (const double e : {0.02, 0.01}) {
    const auto x = separation(s, loss, p, e, 2 * e * s.eta, 1024);
    m.points.push_back({loss, e * s.eta, std::abs(x.measured / late.predicted), x.error / std::abs(late.predicted)});
  }
  m.points.push_back({loss, eta, std::abs(early.measured / late.predicted), early.error / std::abs(late.predicted)});
  return m;
}

}  // namespace

Claim time_scales() {
  return {8,
          "Time scales: at O(1/eta) steps Local SGD and SGD cannot be told apart, at O(1/eta^2) they separate",
          "sections 3 and 5",
          "E of the slow variable under Local SGD (K = 8, alpha = 0.5) minus that under SGD, over the predicted "
          "separation at slow time 1",
          "0.05 of the separation at slow time 1",
          {"valley", "hyperbola", "ring"},
          "measured on three losses with one, one and two arguments of psi",
          measure};
}

}  // namespace sde::claims
