// Post-local SGD: SGD until a switch, Local SGD afterwards (theory.md section 1).
#pragma once

#include <cmath>

#include "sde/discrete/local_sgd.hpp"

namespace sde::discrete {

/// Post-local SGD.
class PostLocalSgd final : public LocalSgd {
 public:
  static constexpr const char* kName = "post_local_sgd";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD until the switch, Local SGD afterwards"; }
  std::string label(const Algorithm& a) const override {
    const auto local = LocalSgd::label(a);
    return a.sync.kind == Synchronization::Kind::constant ? "Post-l" + local.substr(1) : local;
  }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    LocalSgd::read(keys, a, limit);
    const double at =
        keys.fraction({"switch", "the share of the steps that are SGD's"}, std::numeric_limits<double>::quiet_NaN());
    a.parameters = {at};
  }
  void set_steps(Algorithm& a) const override {
    a.sync.switch_step = std::llround(a.parameters.at(0) * static_cast<double>(a.rate.steps));
  }
  void check(const Algorithm& a) const override {
    if (a.sync.switch_step < 1) refuse("sync.switch_step", "expected a step above 0", a.sync.switch_step);
  }

  Round round(const Algorithm& a, std::int64_t k) const override {
    if (a.sync.local(k)) return LocalSgd::round(a, k);
    return {1, std::min(Sgd::kChunk, a.sync.switch_step - k), false};
  }
  double gradients(const Algorithm& a, std::int64_t steps) const override {
    const std::int64_t alone = std::min(steps, a.sync.switch_step);
    return sgd.gradients(a, alone) + LocalSgd::gradients(a, steps - alone);
  }
  slow::Parameters slow_sde(const Algorithm& a, std::int64_t k) const override {
    return a.sync.local(k) ? LocalSgd::slow_sde(a, k) : sgd.slow_sde(a, k);
  }
};
/// What Algorithm::type points to.
inline const PostLocalSgd post_local_sgd;

}  // namespace sde::discrete
