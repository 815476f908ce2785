// Lookahead (Zhang et al., arXiv 1907.08610): DiLoCo of one worker without outer momentum. After H steps the path goes
// back by 1 - gamma of the way.
#pragma once

#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// Lookahead.
class Lookahead final : public MomentumType {
 public:
  static constexpr const char* kName = "lookahead";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD that after H steps keeps gamma of the way"; }
  std::string label(const Algorithm& a) const override {
    return "Lookahead, gamma = " + shortest(settings(a).gamma) + ", " + round_label(a);
  }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    a.workers = 1;
    read_rounds(keys, a, "constant", limit);
    Settings s{.beta = read_beta(keys, 0)};
    s.gamma = read_gamma(keys, 0.5);
    set(a, s);
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "Lookahead has one: expected 1 (DiLoCo has more)", a.workers);
    MomentumType::check(a);
  }
};
/// What Algorithm::type points to.
inline const Lookahead lookahead;

}  // namespace sde::discrete
