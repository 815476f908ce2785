// Where the bench's paths start.
#pragma once

#include "sde/model/model.hpp"

namespace sde::bench {

/// kLanes paths at x[d], as kernels take them.
inline std::vector<double> lanes_of_point(const slow::Vector& x) {
  std::vector<double> state(static_cast<std::size_t>(x.size() * kLanes));
  for (Eigen::Index k = 0; k < x.size(); ++k)
    for (int l = 0; l < kLanes; ++l) state[static_cast<std::size_t>(k * kLanes + l)] = x[k];
  return state;
}

}  // namespace sde::bench
