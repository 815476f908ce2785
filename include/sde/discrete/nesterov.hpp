// Nesterov's momentum, as PyTorch's SGD has it: v <- beta v + g, x <- x - eta (g + beta v) (theory.md section 9).
#pragma once

#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// Nesterov, by one worker with the whole batch.
class Nesterov final : public MomentumType {
 public:
  static constexpr const char* kName = "nesterov";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD with Nesterov's momentum, as PyTorch has it"; }
  std::string label(const Algorithm& a) const override { return "Nesterov, beta = " + shortest(settings(a).beta); }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    set(a, {.beta = read_beta(keys, 0.9), .nesterov = true});
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "nesterov takes the whole batch in one gradient: expected 1", a.workers);
    MomentumType::check(a);
  }
};
/// What Algorithm::type points to.
inline const Nesterov nesterov;

}  // namespace sde::discrete
