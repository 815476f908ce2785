#include "timeline.hpp"

#include <algorithm>
#include <cmath>

namespace sde::ensemble {

namespace {

/// All rounds are alike: they are not walked through.
Timeline of_steady_rounds(const discrete::Algorithm& a, const std::vector<double>& times) {
  Timeline timeline;
  const double eta2 = a.slow_time(a.rate.eta);
  const std::int64_t H = a.steps_in_round();
  for (const double t : times) {
    const std::int64_t step = H * std::llround(t / (eta2 * static_cast<double>(H)));
    timeline.steps.push_back(step);
    timeline.slow_time.push_back(static_cast<double>(step) * eta2);
  }
  return timeline;
}

}  // namespace

Timeline observe_at_rounds(const discrete::Algorithm& a, const std::vector<double>& times) {
  if (a.steady()) return of_steady_rounds(a, times);
  const auto slow_time = a.slow_time_of_step();
  Timeline timeline;
  std::int64_t k = 0;
  double t = 0;
  std::size_t next = 0;
  for (;;) {
    const std::int64_t H = a.steps_to_observation(k);
    double length = 0;
    for (std::int64_t h = 0; h < H; ++h) length += slow_time(a.rate(k + h));
    while (next < times.size() && (times[next] <= t + 0.5 * length || k >= a.rate.steps)) {
      timeline.steps.push_back(k);
      timeline.slow_time.push_back(t);
      ++next;
    }
    if (next == times.size()) break;
    k += H;
    t += length;
  }
  if (a.rate.is_constant()) return timeline;
  // A schedule is run to its end, which is at the time asked for to one step: its last steps may be so short that the
  // nearest round is long before.
  for (; k < a.rate.steps; ++k) t += slow_time(a.rate(k));
  if (times.back() + slow_time(a.rate.eta) * (1 + 1e-9) >= t) {
    timeline.steps.back() = k;
    timeline.slow_time.back() = t;
  }
  return timeline;
}

std::vector<double> observed_times(const Method& method, const std::vector<double>& times) {
  return method.dynamics->in_rounds() ? observe_at_rounds(method.algorithm, times).slow_time : times;
}

std::vector<std::int64_t> slow_steps(const std::vector<double>& times, double dt) {
  std::vector<std::int64_t> first{0};
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const double width = times[i + 1] - times[i];
    const std::int64_t least = width > 0 ? 1 : 0;
    first.push_back(first.back() + std::max<std::int64_t>(least, std::llround(std::ceil(width / dt - 1e-9))));
  }
  return first;
}

SlowClock::SlowClock(const Method& method) : method_(method) {
  const auto& a = method.algorithm;
  constant_ = a.steady();
  if (constant_) {
    parameters_.push_back(from(0));
    return;
  }
  const auto slow_time = a.slow_time_of_step();
  constexpr std::int64_t kEntries = 20'000;
  const std::int64_t every = std::max<std::int64_t>(1, a.rate.steps / kEntries);
  double t = 0;
  for (std::int64_t k = 0; k < a.rate.steps; ++k) {
    if (k % every == 0 || k == a.sync.switch_step) {
      time_.push_back(t);
      parameters_.push_back(from(k));
    }
    t += slow_time(a.rate(k));
  }
}

slow::Parameters SlowClock::from(std::int64_t step) const {
  auto p = method_.dynamics->parameters(method_, step);
  if (method_.refined) p.refine(method_.algorithm.rate(step));
  return p;
}

const slow::Parameters& SlowClock::at(double slow_time) const {
  if (constant_) return parameters_.front();
  const auto after = std::upper_bound(time_.begin(), time_.end(), slow_time);
  return parameters_[static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, after - time_.begin() - 1))];
}

}  // namespace sde::ensemble
