#include "sde/discrete/adaptive_type.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/discrete/momentum_sgd.hpp"
#include "sde/slow/moving_metric.hpp"
#include "sde/slow/tabulated_weights.hpp"

namespace sde::discrete {

namespace {

constexpr double kNone = -1;  // beta2 follows from c

[[noreturn]] void no_steps(std::size_t k) {
  throw InputError(fmt::format(
      "algorithm.v0: coordinate {}: v(0) = 0 with eps = 0 divides by 0 in the first step: expected eps or v0 above 0",
      k + 1));
}

}  // namespace

AdaptiveSgd AdaptiveType::rule(const Algorithm& a) {
  const auto& p = a.parameters;
  AdaptiveSgd r;
  r.beta1 = p.at(0);
  r.c = p.at(1);
  r.beta2 = p.at(2) == kNone ? 1 : p.at(2);
  r.epsilon = p.at(3);
  r.power = p.at(4);
  r.bias_correction = p.at(5) != 0;
  r.workers = a.workers;
  r.v0 = p.data() + kSettings;  // as long as the algorithm
  return r;
}

void AdaptiveType::check(const Algorithm& a) const {
  const auto& p = a.parameters;
  if (p.size() <= kSettings)
    refuse("parameters", "expected the settings of an adaptive method and v(0) for each coordinate",
           static_cast<std::int64_t>(p.size()));
  const auto expect = [](bool ok, const char* name, const char* what, double got) {
    if (!ok) throw InputError(fmt::format("algorithm.{}: expected {}, got {:g}", name, what, got));
  };
  expect(p[0] >= 0 && p[0] < 1, "beta1", "a number from 0 and below 1", p[0]);
  expect(p[1] >= 0, "c", "a number from 0", p[1]);
  expect(p[2] == kNone || (p[2] >= 0 && p[2] <= 1), "beta2", "a number from 0 to 1", p[2]);
  expect(p[3] >= 0, "eps", "a number from 0", p[3]);
  expect(p[4] > 0, "power", "a number above 0", p[4]);
  expect(p[1] * a.rate.eta * a.rate.eta < 1, "c", "c eta^2 = 1 - beta2 below 1", p[1] * a.rate.eta * a.rate.eta);
  for (std::size_t k = kSettings; k < p.size(); ++k) {
    expect(p[k] >= 0, "v0", "numbers from 0", p[k]);
    if (p[k] == 0 && p[3] == 0) no_steps(k - kSettings);
  }
}

Round AdaptiveType::round(const Algorithm& a, std::int64_t k) const {
  constexpr std::int64_t kChunk = 1024;
  if (a.workers == 1) return {1, kChunk, false};
  return {a.workers, a.round_length(k)};
}

namespace {

/// In the metric of the moment m is local momentum, averaged: v of a step sums to m/(1 - beta1). It is linear in its
/// gradients, so section 9 gives the weights; as eta falls with alpha = eta H fixed they tend to those without m.
const slow::TabulatedWeights& weights_of_momentum(const Algorithm& a, long H) {
  const double beta1 = a.parameters.at(0);
  MomentumSgd r;
  r.set_inner(false, beta1);
  r.at = MomentumSgd::AtSynchronization::averaged;
  r.workers = a.workers;
  auto matrices = r.matrices(H);
  matrices.C *= 1 - beta1;
  return slow::tabulated(matrices);
}

bool has_momentum(const Algorithm& a) { return a.parameters.at(0) > 0; }
long steps_in_round(const Algorithm& a, std::int64_t k) { return a.workers == 1 ? 1 : a.H(k); }

}  // namespace

slow::Parameters AdaptiveType::slow_sde(const Algorithm& a, std::int64_t k) const {
  const double eta = a.rate(k);
  const long steps = steps_in_round(a, k);
  const auto H = static_cast<double>(steps);
  if (has_momentum(a))
    return weights_of_momentum(a, steps).parameters(eta, static_cast<double>(a.batch) / a.workers, a.workers, eta * H);
  return {.batch = static_cast<double>(a.batch), .workers = a.workers, .alpha = eta * H, .H = H};
}

double AdaptiveType::stable_below(const Algorithm& a) const {
  const bool bias_correction = a.parameters.at(5) != 0;  // then there is no slow SDE
  if (!has_momentum(a) || bias_correction) return AlgorithmType::stable_below(a);
  return weights_of_momentum(a, a.workers == 1 ? 1 : a.peak_steps_in_round()).stable_below();
}

/// v - v(0) and m of each worker.
std::vector<double> AdaptiveType::slow_variable(const Algorithm& a, std::int64_t step) const {
  if (!has_momentum(a)) return {};
  const double beta1 = a.parameters.at(0);
  std::vector<double> weights;
  for (int w = 0; w < a.workers; ++w) {
    weights.push_back(0);
    weights.push_back(-a.rate(step) * beta1 / (1 - beta1) / a.workers);
  }
  return weights;
}

std::optional<slow::MovingMetric> AdaptiveType::metric(const Algorithm& a) const {
  const auto& p = a.parameters;
  if (p.at(5) != 0)
    throw InputError("algorithm.bias_correction: the slow SDE is known without: expected false (with v0 above 0)");
  if (p.at(2) != kNone && p.at(2) < 1 && !a.rate.is_constant())
    throw InputError(
        "algorithm.beta2: at a changing learning rate v moves in slow time under c alone: expected c, 1 - beta2 = c "
        "eta^2");
  slow::MovingMetric m;
  const double eta2 = a.rate.eta * a.rate.eta;
  m.c = p.at(1) > 0 ? p.at(1) : p.at(2) == kNone ? 0 : (1 - p.at(2)) / eta2;
  m.epsilon = p.at(3);
  m.power = p.at(4);
  m.batch = static_cast<double>(a.batch) / a.workers;
  m.start = Eigen::Map<const Eigen::VectorXd>(p.data() + kSettings, static_cast<Eigen::Index>(p.size() - kSettings));
  return m;
}

void AdaptiveType::set_noise(Algorithm& a, const std::vector<double>& diagonal) const {
  const std::size_t given = a.parameters.size() - kSettings;
  if (given == diagonal.size()) return;
  if (given > 1)
    throw InputError(
        fmt::format("v0: expected one number, or one for each of {} coordinates, got {}", diagonal.size(), given));
  const double for_all = given == 1 ? a.parameters.back() : 0;
  a.parameters.resize(kSettings);
  for (const double v : diagonal)
    a.parameters.push_back(given == 1 ? for_all : v / (static_cast<double>(a.batch) / a.workers));
}

void AdaptiveType::read_settings(Keys& keys, Algorithm& a, bool momentum) {
  double beta1 = 0;
  if (momentum) {
    beta1 = keys.number({"beta1", "of m, the running mean of gradients"}, 0.9);
    if (!(beta1 >= 0 && beta1 < 1)) keys.expected("beta1", "a number from 0 and below 1", beta1);
  }
  const bool fixed = keys.has("beta2");
  const double beta2 = keys.number({"beta2", "of v, the running mean of squared gradients (default: by c)"}, kNone);
  if (fixed && !(beta2 >= 0 && beta2 < 1)) keys.expected("beta2", "a number from 0 and below 1", beta2);
  if (fixed && keys.has("c")) keys.fail("c", "expected either c or beta2: 1 - beta2 = c eta^2");
  const double c = keys.non_negative({"c", "1 - beta2 = c eta^2: v moves in slow time (0: not at all)"}, 1);
  const double eps = keys.non_negative({"eps", "beside v^power in the divisor"}, 1e-8);
  const double power = keys.positive({"power", "of v in the divisor: 1/2 of Adam, another of AdamE"}, 0.5);
  const bool bias =
      keys.boolean({"bias_correction", "as PyTorch's Adam (with beta2); then there is no slow SDE"}, false);
  if (bias && !fixed) keys.fail("bias_correction", "belongs to beta2: under c, v starts where it is");
  a.parameters = {beta1, fixed ? 0 : c, fixed ? beta2 : kNone, eps, power, bias ? 1.0 : 0.0};
  const auto v0 =
      keys.numbers({"v0", "v at the start, for each coordinate or one for all (default: diag Sigma/b there)"});
  a.parameters.insert(a.parameters.end(), v0.begin(), v0.end());
}

}  // namespace sde::discrete
