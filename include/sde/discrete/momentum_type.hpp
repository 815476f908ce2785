// The algorithms with momenta: the settings that they share, and their slow SDE (theory.md section 9).
#pragma once

#include "sde/discrete/momentum_sgd.hpp"
#include "sde/discrete/round_keys.hpp"

namespace sde::discrete {

/// Base of heavy ball, Nesterov, Local SGD with local momentum, DiLoCo, Lookahead, SlowMo: one update rule with other
/// settings. Algorithm::parameters are those of MomentumSettings, in its order.
class MomentumType : public AlgorithmType {
 public:
  using Rule = MomentumSgd;
  static Rule rule(const Algorithm&);

  bool has_conventional_sde() const override { return false; }
  void check(const Algorithm&) const override;
  Round round(const Algorithm&, std::int64_t k) const override;
  double gradients(const Algorithm& a, std::int64_t steps) const override {
    return static_cast<double>(steps) * a.workers;
  }
  slow::Parameters slow_sde(const Algorithm&, std::int64_t k) const override;
  double stable_below(const Algorithm&) const override;
  /// Slow time is that of the effective learning rate, (eta c)^2 a step, where SGD with it diffuses as much.
  double slow_time_factor(const Algorithm&) const override;

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
  /// Ask for momentum; for what becomes of it at a synchronization; for gamma; for mu.
  static double read_beta(Keys&, double otherwise);
  static MomentumSgd::AtSynchronization read_at(Keys&, const char* otherwise);
  static double read_gamma(Keys&, double otherwise);
  static double read_mu(Keys&, double otherwise);
};

}  // namespace sde::discrete
