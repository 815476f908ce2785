// Local RMSProp (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_type.hpp"

namespace sde::discrete {

/// RMSProp by K workers, averaged with their v every H steps.
class LocalRmsProp final : public AdaptiveType {
 public:
  static constexpr const char* kName = "local_rmsprop";
  const char* name() const override { return kName; }
  const char* description() const override { return "RMSProp by K workers, averaged with their v every H steps"; }
  std::string label(const Algorithm& a) const override { return "Local RMSProp" + power_of(a) + ", " + round_label(a); }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    read_rounds(keys, a, "constant", limit);
    read_settings(keys, a, false);
  }
};
/// What Algorithm::type points to.
inline const LocalRmsProp local_rmsprop;

}  // namespace sde::discrete
