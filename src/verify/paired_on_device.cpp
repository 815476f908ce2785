#include "paired_on_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>

#include "sde/ensemble/parallel.hpp"

namespace sde::verify {

namespace {
/// Enough to fill a device; what is observed of them, at all times, is held here twice.
constexpr long kTilePaths = 1 << 17;
}  // namespace

std::unique_ptr<PairedTile> paired_tile_on_device(const Problem& problem, const PairedSetup& setup, long paths,
                                                  const ensemble::Control& control) {
  if (control.device < 0 || !problem.model->device || !problem.interpolating) return nullptr;
  constexpr long kBlock = ensemble::kBlockPaths;
  const long wanted = std::min(kTilePaths, ensemble::blocks_of(paths) * kBlock);
  auto tile = problem.model->device()->paired_tile(control.device, wanted, problem.noise, setup);
  if (tile && tile->capacity() < wanted)
    control.notice(fmt::format("common noise: the device has memory for {} paths at a time, not {}: smaller tiles",
                               tile->capacity(), wanted));
  return tile;
}

void in_tiles(long capacity, long first, long last,
              const std::function<void(long first, long count, PairedSnapshots&)>& run,
              const std::function<void(const PairedSnapshots&, long first, long count)>& observe) {
  if (first == last) return;
  const long most = std::max(ensemble::kBlockPaths, capacity / ensemble::kBlockPaths * ensemble::kBlockPaths);
  const auto size = [&](long at) { return std::min(most, last - at); };
  std::array<PairedSnapshots, 2> seen;
  std::size_t tile = 0;
  const auto begin = [&](long at, PairedSnapshots& into) {
    return std::async(std::launch::async, [&, at] { run(at, size(at), into); });
  };
  for (auto running = begin(first, seen[0]); first < last; first += most, ++tile) {
    running.get();
    if (first + most < last) running = begin(first + most, seen[(tile + 1) % 2]);
    observe(seen[tile % 2], first, size(first));
  }
}

}  // namespace sde::verify
