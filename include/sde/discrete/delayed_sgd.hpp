// Delayed (asynchronous) SGD (theory.md section 9): x_(t+1) = x_t - eta g(x_(t - delay)).
#pragma once

#include "sde/discrete/linear_type.hpp"

namespace sde::discrete {

/// Delayed SGD. Algorithm::parameters: the delay in steps.
class DelayedSgd final : public LinearType {
 public:
  static constexpr const char* kName = "delayed_sgd";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD whose gradients are of `delay` steps before"; }
  std::string label(const Algorithm& a) const override { return "Delay " + shortest(a.parameters.at(0)); }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    a.parameters = {static_cast<double>(keys.integer({"delay", "steps that a gradient is late"}, 1, 0, kMost))};
  }
  void check(const Algorithm&) const override;
  slow::LinearAlgorithm matrices(const Algorithm&) const override;
  /// The newest iterate.
  std::vector<double> observed(const Algorithm&) const override;
  /// The newest iterate, too.
  std::vector<double> slow_variable(const Algorithm&, std::int64_t) const override { return {}; }

 private:
  static constexpr long kMost = 1000;
};
/// What Algorithm::type points to.
inline const DelayedSgd delayed_sgd;

}  // namespace sde::discrete
