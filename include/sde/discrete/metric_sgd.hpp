// SGD in a fixed diagonal metric: x <- x - eta S g (theory.md section 10).
#pragma once

#include "sde/discrete/adaptive_type.hpp"

namespace sde::discrete {

/// The adaptive rule with a v that stays: S = 1/sqrt(v).
class MetricSgd final : public AdaptiveType {
 public:
  static constexpr const char* kName = "metric_sgd";
  const char* name() const override { return kName; }
  const char* description() const override { return "SGD in a fixed diagonal metric S: x <- x - eta S g"; }
  std::string label(const Algorithm&) const override { return "SGD in a metric"; }
  void read(Keys& keys, Algorithm& a, bool) const override {
    a.workers = 1;
    a.parameters = {0, 0, 1, 0, 0.5, 0};
    const auto S = keys.numbers({"metric", "of metric_sgd: S for each coordinate, or one number for all (default: 1)"});
    for (const double s : S) {
      if (!(s > 0)) keys.expected("metric", "numbers above 0", s);
      a.parameters.push_back(1 / (s * s));
    }
    if (S.empty()) a.parameters.push_back(1);
  }
  void check(const Algorithm& a) const override {
    if (a.workers != 1) refuse("workers", "metric_sgd takes the whole batch in one gradient: expected 1", a.workers);
    AdaptiveType::check(a);
  }
};
/// What Algorithm::type points to.
inline const MetricSgd metric_sgd;

}  // namespace sde::discrete
