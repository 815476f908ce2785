// Local Adam (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_type.hpp"

namespace sde::discrete {

/// Adam by K workers, averaged with their m and v every H steps.
class LocalAdam final : public AdaptiveType {
 public:
  static constexpr const char* kName = "local_adam";
  const char* name() const override { return kName; }
  const char* description() const override { return "Adam by K workers, averaged with their m and v every H steps"; }
  std::string label(const Algorithm& a) const override { return "Local Adam" + power_of(a) + ", " + round_label(a); }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    read_rounds(keys, a, "constant", limit);
    read_settings(keys, a, true);
  }
};
/// What Algorithm::type points to.
inline const LocalAdam local_adam;

}  // namespace sde::discrete
