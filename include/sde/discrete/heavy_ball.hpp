// SGD with heavy-ball momentum: v <- beta v + g, x <- x - eta v (theory.md section 9).
#pragma once

#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// Heavy ball, by one worker with the whole batch.
class HeavyBall final : public MomentumType {
 public:
  static constexpr const char* kName = "heavy_ball";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD with heavy-ball momentum"; }
  std::string label(const Algorithm& a) const override { return "Heavy ball, beta = " + shortest(settings(a).beta); }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    set(a, {.beta = read_beta(keys, 0.9), .nesterov = false});
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "heavy_ball takes the whole batch in one gradient: expected 1", a.workers);
    MomentumType::check(a);
  }
};
/// What Algorithm::type points to.
inline const HeavyBall heavy_ball;

}  // namespace sde::discrete
