// The paths of a pairing on a GPU: they advance there, tile by tile, while those of the tile before are observed here.
#pragma once

#include "paired_observer.hpp"

namespace sde::verify {

/// A tile on control's device, for at most `paths` paths; nothing where the pairing runs on the CPU: no device asked
/// for, a loss without kernels for it or with several residuals, or schedules that change.
/// Throws DeviceUnusable. `setup` must outlive the tile.
std::unique_ptr<PairedTile> paired_tile_on_device(const Problem&, const PairedSetup& setup, long paths,
                                                  const ensemble::Control&);

/// Calls run(first, count, snapshots) for paths first .. last - 1, one tile of at most `capacity` paths, whole blocks,
/// after the other, and meanwhile observe(snapshots, first, count) for the tile before.
void in_tiles(long capacity, long first, long last,
              const std::function<void(long first, long count, PairedSnapshots&)>& run,
              const std::function<void(const PairedSnapshots&, long first, long count)>& observe);

}  // namespace sde::verify
