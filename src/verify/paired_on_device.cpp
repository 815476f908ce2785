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
  const long wanted = std::min(kTilePaths, (paths + kBlock - 1) / kBlock * kBlock);
  auto tile = problem.model->device()->paired_tile(control.device, wanted, problem.noise, setup);
  if (tile && tile->capacity() < wanted)
    control.notice(fmt::format("common noise: the device has memory for {} paths at a time, not {}: smaller tiles",
                               tile->capacity(), wanted));
  return tile;
}

void in_tiles(const PairedTile& tile, long paths,
              const std::function<void(long first, long count, PairedSnapshots&)>& run,
              const std::function<void(const PairedSnapshots&, long first, long count)>& observe) {
  const long most = std::max(ensemble::kBlockPaths, tile.capacity() / ensemble::kBlockPaths * ensemble::kBlockPaths);
  const auto size = [&](long first) { return std::min(most, paths - first); };
  std::array<PairedSnapshots, 2> seen;
  const auto begin = [&](long first) {
    return std::async(std::launch::async, [&, first] { run(first, size(first), seen[first / most % 2]); });
  };
  auto running = begin(0);
  for (long first = 0; first < paths; first += most) {
    running.get();
    if (first + most < paths) running = begin(first + most);
    observe(seen[static_cast<std::size_t>(first / most % 2)], first, size(first));
  }
}

}  // namespace sde::verify
