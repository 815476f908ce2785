// SGD with batch B (theory.md section 1), and its slow SDE (section 3).
#pragma once

#include "sde/discrete/algorithm.hpp"
#include "sde/discrete/averaged_sgd.hpp"

namespace sde::discrete {

/// SGD.
class Sgd final : public AlgorithmType {
 public:
  using Rule = AveragedSgd;
  static Rule rule(const Algorithm&) { return {}; }

  static constexpr const char* kName = "sgd";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD with the whole batch B"; }
  std::string label(const Algorithm&) const override { return "SGD"; }

  /// The batch is that of all workers of the file, so that methods with and without rounds compare at the same B.
  void read(Keys&, Algorithm& a, bool) const override { a.workers = 1; }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "SGD takes the whole batch in one gradient: expected 1", a.workers);
  }

  /// Without rounds; steps are taken in chunks.
  static constexpr std::int64_t kChunk = 1024;
  Round round(const Algorithm&, std::int64_t) const override { return {1, kChunk, false}; }
  double gradients(const Algorithm&, std::int64_t steps) const override { return static_cast<double>(steps); }
  slow::Parameters slow_sde(const Algorithm& a, std::int64_t k) const override {
    return {.batch = static_cast<double>(a.batch), .workers = 1, .alpha = a.rate(k)};
  }
};
/// What Algorithm::type points to.
inline const Sgd sgd;

}  // namespace sde::discrete
