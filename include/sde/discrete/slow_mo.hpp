// SlowMo (Wang et al., arXiv 1910.00643): DiLoCo with a heavy-ball outer step; its slow learning rate alpha is gamma,
// its slow momentum beta is mu. At a constant learning rate, as its outer momentum is in units of that.
#pragma once

#include "sde/core/error.hpp"
#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// SlowMo.
class SlowMo final : public MomentumType {
 public:
  static constexpr const char* kName = "slow_mo";
  const char* name() const override { return kName; }
  const char* description() const override { return "Local SGD with slow momentum: a heavy-ball outer step"; }
  std::string label(const Algorithm& a) const override { return outer_label("SlowMo", a); }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    read_rounds(keys, a, "constant", limit);
    auto s = read_inner(keys, 0, "reset");
    s.gamma = read_gamma(keys, 1);
    s.mu = read_mu(keys, 0.6);
    set(a, s);
  }
  void check(const Algorithm& a) const override {
    MomentumType::check(a);
    if (!a.rate.is_constant())
      throw InputError(
          "algorithm.rate: slow_mo keeps its outer momentum in units of the learning rate: expected a constant one");
  }
};
/// What Algorithm::type points to.
inline const SlowMo slow_mo;

}  // namespace sde::discrete
