// Algorithms whose slow SDE is a table of weights (slow/tabulated_weights.hpp).
#pragma once

#include "sde/discrete/algorithm.hpp"

namespace sde::slow {
class TabulatedWeights;
}

namespace sde::discrete {

/// Base of those with momenta and of those that are given by matrices. Slow time is that of the effective learning
/// rate, (eta c)^2 a step, in which SGD with it diffuses as much.
class WeightedType : public AlgorithmType {
 public:
  bool has_conventional_sde() const override { return false; }
  slow::Parameters slow_sde(const Algorithm&, std::int64_t k) const override;
  double stable_below(const Algorithm&) const override;
  double slow_time_factor(const Algorithm&) const override;

 protected:
  /// Local steps of a period at local step k: alpha is eta times so many.
  virtual std::int64_t period(const Algorithm&, std::int64_t k) const = 0;
  /// The weights where rounds, if there are any, have H steps.
  virtual const slow::TabulatedWeights& weights(const Algorithm&, std::int64_t H) const = 0;
};

}  // namespace sde::discrete
