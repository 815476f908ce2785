#include "block.hpp"

#include <fmt/format.h>

namespace sde::ensemble {

bool BlockRunner::operator()(long b, BlockState& s) {
  const long first = b * kBlockPaths, last = std::min(method_.paths, first + kBlockPaths);
  if (s.x.empty()) {
    s.part = MethodResult(problem_, observation_, timeline_.slow_time);
    s.x.assign(static_cast<std::size_t>(stepper_->size() * kLanes), 0.0);
    s.previous.resize(kLanes);
  }
  bool moved = false;
  for (; first + s.done < last; s.done += kLanes, s.time = 0) {
    const long group = first + s.done;
    const int active = static_cast<int>(std::min<long>(kLanes, last - group));
    if (s.time == 0) start(s);
    stepper_->use_lanes(active);
    while (s.time < timeline_.slow_time.size()) {
      if (interrupted_ && *interrupted_) return false;
      if (moved && pause_ && pause_()) return false;
      unsigned failed = 0;
      before_ = s.x;
      if (s.time > 0) {
        const auto spread = s.spread;
        try {
          failed = stepper_->advance(s.x.data(), static_cast<std::uint32_t>(group), s.time - 1, s.spread.data());
        } catch (const Interrupted&) {
          s.x = before_;
          s.spread = spread;
          return false;
        }
      }
      for (int l = 0; l < active; ++l)
        if (!(s.gone >> l & 1)) observe(s, group, l, failed >> l & 1);
      moved = s.time++ > 0;
    }
    s.part.paths += active;
  }
  return true;
}

void BlockRunner::start(BlockState& s) const {
  const Vector& at = method_.dynamics->on_gamma() ? problem_.start_on_gamma : problem_.start;
  std::fill(s.x.begin(), s.x.end(), 0.0);  // what an algorithm keeps beside its position
  for (int k = 0; k < dim_; ++k)
    for (int l = 0; l < kLanes; ++l) s.x[k * kLanes + l] = at[k];
  s.gone = 0;
  s.spread.fill(0);
  for (auto& p : s.previous) p.resize(0);
}

std::string BlockRunner::where_it_left(const std::vector<double>& x, const std::vector<double>& before,
                                       int lane) const {
  double largest = 0;
  bool finite = true;
  Vector last(dim_);
  for (int k = 0; k < dim_; ++k) {
    finite = finite && std::isfinite(x[k * kLanes + lane]);
    largest = std::fmax(largest, std::abs(x[k * kLanes + lane]));
    last[k] = before[k * kLanes + lane];
  }
  if (finite) return fmt::format("diverged: max |theta_k| = {:.3g}", largest);
  const auto what = problem_.model->not_finite(last.data());
  std::string point;
  for (int k = 0; k < std::min(dim_, 6); ++k) point += fmt::format("{}{:.6g}", k ? ", " : "", last[k]);
  return fmt::format("not a number: {}({}{})", what.empty() ? "in the round after " : what + " at ", point,
                     dim_ > 6 ? ", ..." : "");
}

void BlockRunner::observe(BlockState& s, long group, int lane, bool failed) {
  theta_.resize(dim_);
  for (int k = 0; k < dim_; ++k) theta_[k] = s.x[k * kLanes + lane];
  std::string reason;
  const bool diverged = !in_domain(s.x.data() + lane, dim_, kLanes);
  if (diverged)
    reason = "diverged: a coordinate beyond 1e8";
  else if (failed)
    reason = fmt::format("the retraction did not converge near x1 = {:.6g}", theta_[0]);
  else
    try {
      observe_(group + lane, s.time, theta_.data(), s.spread[lane], s.previous[lane], s.part);
      return;
    } catch (const manifold::FlowError& e) {
      reason = e.what();
    }
  s.gone |= 1u << lane;
  if (s.part.lost++ > 0) return;
  long step = s.time > 0 ? stepper_->step_after(s.time - 1) : 0;
  if (diverged && s.time > 0) {
    // Again from the last observation, round by round: where it left, and how far it was by then.
    auto x = before_, last = before_;
    step = stepper_->diverged_at(x.data(), last.data(), static_cast<std::uint32_t>(group), s.time - 1, lane);
    reason = where_it_left(x, last, lane);
  }
  s.part.first_lost = {group + lane, step, timeline_.slow_time[s.time], reason};
}

}  // namespace sde::ensemble
