// The algorithms with momenta: the settings that they share, and their slow SDE (theory.md section 9).
#pragma once

#include "sde/discrete/momentum_sgd.hpp"
#include "sde/discrete/round_keys.hpp"
#include "sde/discrete/weighted_type.hpp"

namespace sde::discrete {

/// Base of heavy ball, Nesterov, Local SGD with local momentum, DiLoCo, Lookahead, SlowMo: one update rule with other
/// settings. Algorithm::parameters are those of Settings, in its order.
class MomentumType : public WeightedType {
 public:
  using Rule = MomentumSgd;
  static Rule rule(const Algorithm&);

  void check(const Algorithm&) const override;
  Round round(const Algorithm&, std::int64_t k) const override;
  std::vector<double> slow_variable(const Algorithm&, std::int64_t step) const override;

 protected:
  /// The settings of all of them.
  struct Settings {
    double beta = 0;
    bool nesterov = false;
    MomentumSgd::AtSynchronization at = MomentumSgd::AtSynchronization::kept;
    double gamma = 1, mu = 0;
    bool outer_nesterov = false;
  };
  static void set(Algorithm&, const Settings&);
  static Settings settings(const Algorithm&);
  /// "DiLoCo, gamma = 0.7, mu = 0.9, H = 20"
  static std::string outer_label(const char* name, const Algorithm&);
  /// Asks for the workers' momentum, its kind, and what becomes of it at a synchronization: `beta`, `at` by default.
  static Settings read_inner(Keys&, double beta, const char* at);
  /// Ask for the momentum alone; for gamma; for mu.
  static double read_beta(Keys&, double otherwise);
  static double read_gamma(Keys&, double otherwise);
  static double read_mu(Keys&, double otherwise);

  std::int64_t period(const Algorithm&, std::int64_t k) const override;
  const slow::TabulatedWeights& weights(const Algorithm&, std::int64_t H) const override;
};

}  // namespace sde::discrete
