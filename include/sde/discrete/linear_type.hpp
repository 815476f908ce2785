// Algorithms that are given by their matrices (theory.md section 9): their step loop and their slow SDE follow.
#pragma once

#include "sde/discrete/linear_loop.hpp"

namespace sde::slow {
struct LinearAlgorithm;
}

namespace sde::discrete {

/// Base of gossip, delayed SGD and a user's own updates. One gradient of the matrices is a worker's.
class LinearType : public AlgorithmType {
 public:
  using Rule = LinearRule;
  static Rule rule(const Algorithm&);

  /// At eta = 1 and b = 1.
  virtual slow::LinearAlgorithm matrices(const Algorithm&) const = 0;
  /// [S] what is observed: the mean of the iterates at which gradients are taken, if not another.
  virtual std::vector<double> observed(const Algorithm&) const;

  bool has_conventional_sde() const override { return false; }
  Round round(const Algorithm& a, std::int64_t) const override {
    constexpr std::int64_t kChunk = 1024;
    return {a.workers, kChunk, false};
  }
  double gradients(const Algorithm& a, std::int64_t steps) const override {
    return static_cast<double>(steps) * a.workers;
  }
  slow::Parameters slow_sde(const Algorithm&, std::int64_t k) const override;
  double stable_below(const Algorithm&) const override;
  /// Slow time is that of the effective learning rate, (eta c)^2 a step, where SGD with it diffuses as much.
  double slow_time_factor(const Algorithm&) const override;
};

}  // namespace sde::discrete
