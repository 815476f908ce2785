#include "other_algorithms.hpp"

#include <cmath>

#include "sde/discrete/algorithms.hpp"

namespace sde::claims {

bool of_claim_14(const discrete::AlgorithmType& type) {
  return dynamic_cast<const discrete::MomentumType*>(&type) || dynamic_cast<const discrete::LinearType*>(&type) ||
         dynamic_cast<const discrete::AdaptiveType*>(&type);
}

std::vector<std::pair<std::string, discrete::Algorithm>> other_algorithms(double effective, int batch) {
  std::vector<std::pair<std::string, discrete::Algorithm>> all;
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
    all.emplace_back(name, a);
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
  return all;
}

}  // namespace sde::claims
