// A user's own algorithm, linear in its gradients (theory.md section 9): updates, or matrices, in the experiment file.
#pragma once

#include "sde/discrete/linear_type.hpp"

namespace sde::discrete {

/// Own updates. Algorithm::parameters: the matrices, as src/discrete/linear.cpp packs them.
class Linear final : public LinearType {
 public:
  static constexpr const char* kName = "linear";
  const char* name() const override { return kName; }
  const char* description() const override { return "own updates, linear in the gradients"; }
  std::string label(const Algorithm&) const override { return "Own updates"; }
  void read(Keys&, Algorithm&, bool limit) const override;
  void check(const Algorithm&) const override;
  Round round(const Algorithm&, std::int64_t k) const override;
  slow::LinearAlgorithm matrices(const Algorithm&) const override;

 protected:
  std::int64_t period(const Algorithm&, std::int64_t k) const override;
  const slow::TabulatedWeights& weights(const Algorithm&, std::int64_t H) const override;
};
/// What Algorithm::type points to.
inline const Linear linear;

}  // namespace sde::discrete
