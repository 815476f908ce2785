// Work that groups of paths do.
#pragma once

#include <cmath>
#include <memory>

#include "group.hpp"
#include "work.hpp"

namespace sde::bench {

/// For set_runs(): groups of paths, each path of which does `in_path` units. `make(thread)` gives a group; on a device,
/// where one thread works, it is made once.
template <class Make>
auto in_groups(Make make, double in_path, const Observable& observable, int device) {
  const auto kept = std::make_shared<std::unique_ptr<Group>>();
  return [=](int thread, double units, stats::Moments* ends) {
    std::unique_ptr<Group> own;
    if (device < 0)
      own = make(thread);
    else if (!*kept)
      *kept = make(thread);
    Group& group = own ? *own : **kept;
    const double in_group = static_cast<double>(group.paths()) * in_path;
    const auto groups = static_cast<std::uint32_t>(std::ceil(units / in_group));
    for (std::uint32_t g = 0; g < groups; ++g)
      group.run(g * static_cast<std::uint32_t>(group.paths()), observable, ends);
    return groups * in_group;
  };
}

}  // namespace sde::bench
