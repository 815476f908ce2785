// RMSProp (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_type.hpp"

namespace sde::discrete {

/// RMSProp: steps over the root of a running mean of squared gradients.
class RmsProp final : public AdaptiveType {
 public:
  static constexpr const char* kName = "rmsprop";
  const char* name() const override { return kName; }
  const char* description() const override {
    return "RMSProp: steps over the root of a running mean of squared gradients";
  }
  std::string label(const Algorithm& a) const override { return std::string("RMSProp") + power_of(a); }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    read_settings(keys, a, false);
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "rmsprop takes the whole batch in one gradient: expected 1", a.workers);
    AdaptiveType::check(a);
  }
};
/// What Algorithm::type points to.
inline const RmsProp rmsprop;

}  // namespace sde::discrete
