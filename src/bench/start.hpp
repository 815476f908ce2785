// Where the bench's paths start and what is observed at their ends.
#pragma once

#include "observable.hpp"
#include "sde/model/model.hpp"
#include "sde/stats/moments.hpp"

namespace sde::bench {

/// kLanes paths at x[d], as kernels take them.
inline std::vector<double> lanes_of_point(const slow::Vector& x) {
  std::vector<double> state(static_cast<std::size_t>(x.size() * kLanes));
  for (Eigen::Index k = 0; k < x.size(); ++k)
    for (int l = 0; l < kLanes; ++l) state[static_cast<std::size_t>(k * kLanes + l)] = x[k];
  return state;
}

/// Adds what is observed of each of the kLanes paths of `state`, d components, to `ends`.
inline void add_ends(const std::vector<double>& state, const Observable& observable, stats::Moments& ends) {
  std::vector<double> x(state.size() / kLanes);
  for (std::size_t l = 0; l < kLanes; ++l) {
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = state[k * kLanes + l];
    ends.add(observable.of(x.data()));
  }
}

}  // namespace sde::bench
