// When a run stops for a moment so that its state can be kept.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

namespace sde::cli {

/// What --checkpoint-every says. By default every minute, but so that no more than a hundredth of the time goes into
/// it.
struct CheckpointEvery {
  std::optional<double> seconds;  ///< as asked for; 0: only when interrupted
  double period() const { return seconds.value_or(60); }
  bool spares_time() const { return !seconds; }
};

/// Threads ask it whether a checkpoint is due; the first to hear so stops first.
class CheckpointClock {
 public:
  explicit CheckpointClock(CheckpointEvery every) : every_(every) { wait(every.period()); }

  bool due() {
    if (every_.period() == 0) return false;
    const auto now = Clock::now().time_since_epoch().count();
    if (now < next_.load(std::memory_order_relaxed)) return false;
    Ticks none = 0;
    stopped_.compare_exchange_strong(none, now, std::memory_order_relaxed);
    return true;
  }

  /// The checkpoint is written (or was not due): the run goes on.
  void go_on() {
    const Ticks since = stopped_.exchange(0);
    const double took =
        since == 0 ? 0
                   : std::chrono::duration<double>(Clock::now().time_since_epoch() - Clock::duration(since)).count();
    wait(every_.spares_time() ? std::max(every_.period(), kMostOften * took) : every_.period());
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Ticks = Clock::rep;
  static constexpr double kMostOften = 100;  ///< times what one takes, from the first thread that stops

  void wait(double seconds) {
    constexpr double kForever = 1e9;
    const std::chrono::duration<double> left(std::min(seconds, kForever));
    next_ = (Clock::now() + std::chrono::duration_cast<Clock::duration>(left)).time_since_epoch().count();
  }

  const CheckpointEvery every_;
  std::atomic<Ticks> next_{0}, stopped_{0};
};

}  // namespace sde::cli
