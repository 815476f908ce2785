#include "other_algorithms.hpp"

#include <cmath>

#include "sde/discrete/algorithms.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::claims {

bool of_claim_14(const discrete::AlgorithmType& type) {
  return dynamic_cast<const discrete::MomentumType*>(&type) || dynamic_cast<const discrete::LinearType*>(&type) ||
         dynamic_cast<const discrete::AdaptiveType*>(&type);
}

namespace {

/// beta1 of the momentum, power of v, workers who meet every H steps.
OtherAlgorithm adaptive(const ensemble::Problem& p, double effective, int batch, double time,
                        const discrete::AlgorithmType& type, double beta1, double power, int workers, long H) {
  OtherAlgorithm made;
  auto& a = made.algorithm;
  a.type = &type;
  a.workers = workers;
  a.batch = batch;
  a.sync.H = H;
  a.rate.steps = 1'000'000;
  const slow::Vector v0 =
      2.0 * workers / batch * slow::covariance(*p.model, p.noise, p.start_on_gamma.data()).diagonal();
  const double epsilon = 0.2 * std::pow(v0.mean(), power);  // coordinates without noise move, too
  made.unit = (v0.array().pow(power) + epsilon).inverse().mean();
  a.rate.eta = effective / made.unit;
  constexpr double kByC = -1;
  a.parameters = {beta1, made.unit * made.unit / time, kByC, epsilon, power, 0};
  a.parameters.insert(a.parameters.end(), v0.begin(), v0.end());
  made.name = type.label(a);
  if (beta1 > 0) made.name += ", beta1 = " + discrete::shortest(beta1);
  return made;
}

}  // namespace

std::vector<OtherAlgorithm> other_algorithms(const ensemble::Problem& p, double effective, int batch, double time) {
  std::vector<OtherAlgorithm> all;
  const auto add = [&](const char* name, const discrete::AlgorithmType& type, int workers, long H,
                       std::vector<double> parameters) {
    discrete::Algorithm a;
    a.type = &type;
    a.workers = workers;
    a.batch = batch;
    a.parameters = std::move(parameters);
    a.sync.H = H;
    a.rate.steps = 1'000'000;
    a.rate.eta = effective / std::sqrt(type.slow_time_factor(a));
    all.push_back({name, a});
  };
  // Settings: momentum, Nesterov's, at a synchronization (0 averaged, 1 kept, 2 reset), gamma, mu, outer Nesterov's.
  add("heavy ball 0.8", discrete::heavy_ball, 1, 1, {0.8, 0, 1, 1, 0, 0});
  add("Nesterov 0.8", discrete::nesterov, 1, 1, {0.8, 1, 1, 1, 0, 0});
  add("local momentum 0.8, averaged", discrete::local_momentum, 4, 25, {0.8, 0, 0, 1, 0, 0});
  add("local momentum 0.8, kept", discrete::local_momentum, 4, 25, {0.8, 0, 1, 1, 0, 0});
  add("local momentum 0.8, reset", discrete::local_momentum, 4, 25, {0.8, 0, 2, 1, 0, 0});
  add("DiLoCo (0.7, 0.6)", discrete::diloco, 4, 25, {0, 0, 1, 0.7, 0.6, 1});
  add("DiLoCo (0.5, 0.5), heavy ball", discrete::diloco, 4, 25, {0, 0, 1, 0.5, 0.5, 0});
  add("Lookahead 0.5", discrete::lookahead, 1, 25, {0, 0, 1, 0.5, 0, 0});
  add("SlowMo (1, 0.5)", discrete::slow_mo, 4, 25, {0, 0, 2, 1, 0.5, 0});
  add("gossip, ring of 6", discrete::gossip, 6, 1, {0, 1});
  add("delay 6", discrete::delayed_sgd, 1, 1, {6});
  const auto add_adaptive = [&](const discrete::AlgorithmType& type, double beta1, double power, int workers, long H) {
    all.push_back(adaptive(p, effective, batch, time, type, beta1, power, workers, H));
  };
  add_adaptive(discrete::rmsprop, 0, 0.5, 1, 1);
  add_adaptive(discrete::adam, 0.9, 0.5, 1, 1);
  add_adaptive(discrete::adam, 0.9, 0.25, 1, 1);
  add_adaptive(discrete::local_rmsprop, 0, 0.5, 4, 25);
  add_adaptive(discrete::local_adam, 0.9, 0.5, 4, 25);
  return all;
}

}  // namespace sde::claims
