#include <fmt/format.h>

#include "cases.hpp"

namespace sde::claims {

namespace {

verify::PairedResult sharpness_run(const Setting& s, const ensemble::Problem& p, double eta, int K, double alpha,
                                   double time, long paths) {
  auto pairing = stationary(p, local_sgd(s, eta, K, alpha, 8), time, s.paths(paths));
  pairing.functions = {verify::sharpness()};
  return verify::run_paired(p, pairing, s.control);
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  constexpr int K = 8;
  Measured m;
  const auto sharpness_row = [&](int workers, double alpha) {
    const auto r = sharpness_run(s, p, 0.002, workers, alpha, 1, 128);
    const double fall = r.drift[0].back()[0].mean;
    const auto name = workers == 1 ? std::string("SGD") : fmt::format("K = {}, alpha = {}", workers, alpha);
    m.rows.push_back(gap_row(7, loss, "fall of tr Hess / slow ODE's, " + name, r, 0, 0, fall, 0.03 * s.margin));
  };
  sharpness_row(1, 0);
  sharpness_row(K, 0.05);
  sharpness_row(K, 0.5);
  // How much faster, over a short time from the same start.
  constexpr double kShort = 0.05;
  const auto sgd = sharpness_run(s, p, 0.002, 1, 0, kShort, 256);
  for (const double alpha : {0.05, 0.5, 5.0}) {
    const auto local = sharpness_run(s, p, 0.002, K, alpha, kShort, 128);
    const auto &a = local.increment.back()[0], &b = sgd.increment.back()[0];
    Row row;
    row.claim = 7;
    row.loss = loss;
    row.quantity = fmt::format("speed-up over SGD, in [1, K], alpha = {}", alpha);
    const double scale = local.slow_time.back() / sgd.slow_time.back();
    row.measured = a.mean / b.mean / scale;
    row.predicted = local.drift[0].back()[0].mean / sgd.drift[0].back()[0].mean / scale;
    row.standard_error = row.measured * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean);
    row.low = 1 - row.predicted;
    row.high = K - row.predicted;
    row.step_error = std::abs(local.step_error[0].back()[0].mean / b.mean);
    row.gradients = local.gradients + sgd.gradients;
    m.rows.push_back(row);
  }
  return m;
}

}  // namespace

Claim label_noise() {
  return {7,
          "Label noise: sharpness follows the slow ODEs; Local SGD reduces it up to K times faster",
          "section 4",
          "fall of tr Hess over slow time 1 beside the ODE's; ratio of the initial falls of Local SGD (K = 8) and SGD",
          "0.03 of the fall; the speed-up between 1 and K",
          {"hyperbola", "chain", "diagonal_network"},
          "the claim is about squared losses under label noise",
          measure};
}

}  // namespace sde::claims
