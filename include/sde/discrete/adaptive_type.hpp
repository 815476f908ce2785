// The adaptive methods: the settings that they share, and their slow SDE, which is SGD's or Local SGD's, with
// beta1 local momentum's, in a metric that moves with the path (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_sgd.hpp"
#include "sde/discrete/round_keys.hpp"

namespace sde::discrete {

/// Base of RMSProp, Adam, their local versions and SGD in a fixed metric. Algorithm::parameters: beta1, c, beta2,
/// epsilon, power, bias correction (0, 1), then v(0) for each coordinate; none until set_noise(), or one for all.
class AdaptiveType : public AlgorithmType {
 public:
  static constexpr std::size_t kSettings = 6;
  using Rule = AdaptiveSgd;
  static Rule rule(const Algorithm&);

  bool has_conventional_sde() const override { return false; }
  void check(const Algorithm&) const override;
  Round round(const Algorithm&, std::int64_t k) const override;
  slow::Parameters slow_sde(const Algorithm&, std::int64_t k) const override;
  std::optional<slow::MovingMetric> metric(const Algorithm&) const override;
  bool in_metric() const override { return true; }
  double stable_below(const Algorithm&) const override;
  /// What is still to come of m moves x by -eta S beta1/(1 - beta1) m.
  std::vector<double> slow_variable(const Algorithm&, std::int64_t step) const override;
  void set_noise(Algorithm&, const std::vector<double>& diagonal) const override;

 protected:
  /// ", v^0.25" where the power is not 1/2.
  static std::string power_of(const Algorithm& a) {
    return a.parameters.at(4) == 0.5 ? "" : ", v^" + shortest(a.parameters.at(4));
  }
  /// Asks for beta1 (where `momentum`) and all the rest.
  static void read_settings(Keys&, Algorithm&, bool momentum);
};

/// The rule with the metric of `a` where its v starts. `a` must outlive the rule: it is referred to, not copied.
inline AdaptiveSgd bound_to(AdaptiveSgd rule, const Algorithm& a) {
  rule.v0 = a.parameters.data() + AdaptiveType::kSettings;
  return rule;
}

}  // namespace sde::discrete
