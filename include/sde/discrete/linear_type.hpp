// Algorithms that are given by their matrices (theory.md section 9): their step loop and their slow SDE follow.
#pragma once

#include "sde/discrete/linear_loop.hpp"
#include "sde/discrete/weighted_type.hpp"

namespace sde::slow {
struct LinearAlgorithm;
}

namespace sde::discrete {

/// Base of gossip, delayed SGD and a user's own updates. One gradient of the matrices is a worker's.
class LinearType : public WeightedType {
 public:
  using Rule = LinearRule;
  static Rule rule(const Algorithm&);

  /// At eta = 1 and b = 1.
  virtual slow::LinearAlgorithm matrices(const Algorithm&) const = 0;
  /// [S] what is observed: the mean of the iterates at which gradients are taken, if not another.
  virtual std::vector<double> observed(const Algorithm&) const;
  std::vector<double> slow_variable(const Algorithm&, std::int64_t step) const override;

  Round round(const Algorithm& a, std::int64_t) const override {
    constexpr std::int64_t kChunk = 1024;
    return {a.workers, kChunk, false};
  }

 protected:
  std::int64_t period(const Algorithm&, std::int64_t) const override { return 1; }
  const slow::TabulatedWeights& weights(const Algorithm&, std::int64_t H) const override;
};

}  // namespace sde::discrete
