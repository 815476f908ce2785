// Adam, and with another power of v AdamE (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_type.hpp"

namespace sde::discrete {

/// Adam; with power other than 1/2, AdamE.
class Adam final : public AdaptiveType {
 public:
  static constexpr const char* kName = "adam";
  const char* name() const override { return kName; }
  const char* description() const override { return "Adam; with power other than 1/2, AdamE"; }
  std::string label(const Algorithm& a) const override { return std::string("Adam") + power_of(a); }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    read_settings(keys, a, true);
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "adam takes the whole batch in one gradient: expected 1", a.workers);
    AdaptiveType::check(a);
  }
};
/// What Algorithm::type points to.
inline const Adam adam;

}  // namespace sde::discrete
