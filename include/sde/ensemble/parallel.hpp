// Work on numbered blocks by several threads, results taken in the order of the blocks: a sum over blocks is then the
// same bits for any number of threads. At most `threads` results wait at a time.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "sde/core/pack.hpp"

namespace sde::ensemble {

/// Paths whose moments are gathered before they join the total: the unit of parallel work.
inline constexpr long kBlockPaths = kLanes;
/// Paths whose blocks are merged with each other, in their order, before the group's moments join the total: the unit
/// that ranks and devices divide among themselves.
inline constexpr long kGroupPaths = 4096;
/// Blocks of a group.
inline constexpr long kGroupBlocks = kGroupPaths / kBlockPaths;

/// Blocks of `paths` paths.
inline long blocks_of(long paths) { return (paths + kBlockPaths - 1) / kBlockPaths; }
/// Groups of `blocks` blocks.
inline long groups_of(long blocks) { return (blocks + kGroupBlocks - 1) / kGroupBlocks; }
/// Blocks of group number `group`; the last may have fewer.
inline long blocks_in_group(long group, long blocks) { return std::min(kGroupBlocks, blocks - group * kGroupBlocks); }

/// Calls take(b, compute(b)) for b = first .. count-1, compute in parallel, take in order and one at a time. The first
/// exception stops the work and is thrown again here.
template <class Compute, class Take>
void parallel_ordered(long first, long count, int threads, Compute compute, Take take) {
  std::mutex mutex;
  std::condition_variable turn;
  long next = first, taken = first;
  std::exception_ptr failure;
  const auto work = [&] {
    for (;;) {
      long mine;
      {
        const std::lock_guard lock(mutex);
        if (failure || next >= count) return;
        mine = next++;
      }
      try {
        auto result = compute(mine);
        std::unique_lock lock(mutex);
        turn.wait(lock, [&] { return failure || taken == mine; });
        if (failure) return;
        take(mine, std::move(result));
        ++taken;
        turn.notify_all();
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        turn.notify_all();
        return;
      }
    }
  };
  std::vector<std::jthread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(work);
  work();
  pool.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sde::ensemble
