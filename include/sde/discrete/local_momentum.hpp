// Local SGD whose workers have momenta (theory.md section 9): at a synchronization the iterates are averaged, the
// momenta averaged, kept or reset.
#pragma once

#include "sde/discrete/momentum_type.hpp"

namespace sde::discrete {

/// Local SGD with local momentum.
class LocalMomentum final : public MomentumType {
 public:
  static constexpr const char* kName = "local_momentum";
  const char* name() const override { return kName; }
  const char* description() const override { return "Local SGD whose workers have momenta"; }
  std::string label(const Algorithm& a) const override {
    return "Local momentum " + shortest(settings(a).beta) + ", " + round_label(a);
  }
  void read(Keys& keys, Algorithm& a, bool limit) const override {
    read_rounds(keys, a, "constant", limit);
    set(a, read_inner(keys, 0.9, "averaged"));
  }
};
/// What Algorithm::type points to.
inline const LocalMomentum local_momentum;

}  // namespace sde::discrete
