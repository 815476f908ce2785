// DiLoCo (Douillard et al., arXiv 2311.08105; theory.md section 9): workers take H steps from an anchor, the mean of
// their displacements D is the gradient of an outer step with momentum, u <- mu u + D, and all begin again at the
// anchor, moved by gamma (D + mu u) (Nesterov) or gamma u (heavy ball).
#pragma once

#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// DiLoCo.
class DiLoCo final : public MomentumType {
 public:
  static constexpr const char* kName = "diloco";
  const char* name() const override { return kName; }
  const char* description() const override { return "Local SGD with an outer step of rate gamma and momentum mu"; }
  std::string label(const Algorithm& a) const override { return outer_label("DiLoCo", a); }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    read_rounds(keys, a, "constant", limit);
    auto s = read_inner(keys, 0, "kept");
    s.gamma = read_gamma(keys, 0.7);
    s.mu = read_mu(keys, 0.9);
    s.outer_nesterov =
        keys.choice({"outer", "the outer momentum"}, "nesterov", {"nesterov", "heavy_ball"}) == "nesterov";
    set(a, s);
  }
};
/// What Algorithm::type points to.
inline const DiLoCo diloco;

}  // namespace sde::discrete
