// QSR: Local SGD with H = max(H_base, floor((beta/eta)^2)) (Gu et al. 2024; theory.md section 1). Beside it stands the
// limit of long rounds (section 3), which has K times the drift of SGD.
#pragma once

#include "sde/discrete/local_sgd.hpp"

namespace sde::discrete {

/// QSR.
class Qsr final : public LocalSgd {
 public:
  static constexpr const char* kName = "qsr";
  const char* name() const override { return kName; }
  const char* description() const override { return "Local SGD with H = max(H, (beta/eta)^2)"; }
  void read(Keys& keys, Algorithm& a, bool limit) const override { read_rounds(keys, a, "qsr", limit); }
  slow::Parameters limit_sde(const Algorithm& a, std::int64_t k) const override {
    auto p = slow_sde(a, k);
    p.alpha = std::numeric_limits<double>::infinity();
    return p;
  }
};
/// What Algorithm::type points to.
inline const Qsr qsr;

}  // namespace sde::discrete
