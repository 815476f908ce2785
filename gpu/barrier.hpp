// What threads that play a team's members wait for each other by, where the CPU is in a GPU's place.
#pragma once

#include <atomic>
#include <thread>

namespace sde::gpu {

/// Threads yield instead of sleeping, as those of std::barrier do: members meet every few microseconds, and waking one
/// takes longer than that.
class Barrier {
 public:
  explicit Barrier(int members) : members_(members) {}
  void arrive_and_wait() {
    const unsigned meeting = meeting_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
      arrived_.store(0, std::memory_order_relaxed);
      meeting_.store(meeting + 1, std::memory_order_release);
    } else {
      while (meeting_.load(std::memory_order_acquire) == meeting) std::this_thread::yield();
    }
  }

 private:
  const int members_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> meeting_{0};
};

}  // namespace sde::gpu
