// Local SGD: K workers take H steps each with batch B/K, then they are averaged (theory.md section 1); its slow SDE
// (section 3).
#pragma once

#include "sde/discrete/round_keys.hpp"
#include "sde/discrete/sgd.hpp"

namespace sde::discrete {

/// Local SGD.
class LocalSgd : public AlgorithmType {
 public:
  using Rule = AveragedSgd;
  static Rule rule(const Algorithm&) { return {}; }

  static constexpr const char* kName = "local_sgd";
  const char* name() const override { return kName; }
  const char* description() const override { return "K workers, H local steps, then the average"; }
  std::string label(const Algorithm& a) const override {
    return a.sync.kind == Synchronization::Kind::qsr ? "QSR" : "Local SGD, " + round_label(a);
  }
  void read(Keys& keys, Algorithm& a, bool limit) const override { read_rounds(keys, a, "constant", limit); }
  void check(const Algorithm& a) const override {
    if (a.sync.switch_step != 0)
      refuse("sync.switch_step", "post-local SGD alone has a switch: expected 0", a.sync.switch_step);
  }

  /// The average of one worker is that worker: no rounds.
  Round round(const Algorithm& a, std::int64_t k) const override {
    if (a.workers == 1) return sgd.round(a, k);
    return {a.workers, a.round_length(k)};
  }
  slow::Parameters slow_sde(const Algorithm& a, std::int64_t k) const override {
    if (a.workers == 1) return sgd.slow_sde(a, k);
    const auto H = static_cast<double>(a.H(k));
    return {.batch = static_cast<double>(a.batch), .workers = a.workers, .alpha = a.rate(k) * H, .H = H};
  }
};
/// What Algorithm::type points to.
inline const LocalSgd local_sgd;

}  // namespace sde::discrete
