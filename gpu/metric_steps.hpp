// What a thread, or a team, does with a path of a slow SDE in a metric that moves with it: as SlowSteps (steps.hpp),
// with v - v(0) behind the position.
#pragma once

#include "sde/slow/in_metric.hpp"
#include "steps.hpp"

namespace sde::gpu {

/// A body for launches: `steps` of the slow SDE of L in numbers S.
template <class L, class S>
struct MetricSteps {
  static constexpr int kResidentTeams = SlowSteps<L, S>::kResidentTeams;

  L loss;
  NoiseView<S> noise;
  slow::MetricNumbers metric;
  double gain;  ///< of v in a step
  std::uint64_t seed;
  slow::Steps steps;
  Paths<S> paths;

  template <class Team>
  using Geometry = slow::InMetric<L, Pack<S, 1>, Team>;

  SDE_DEVICE void operator()(long path) const {
    constexpr int d = dim_of<L>;
    Geometry<Solo> geometry(loss, noise, metric);
    Pack<S, 1> x[d], move[d];
    for (int k = 0; k < d; ++k) x[k] = paths.x[(d + k) * paths.stride + path];
    geometry.begin(x, gain);
    for (int k = 0; k < d; ++k) x[k] = paths.x[k * paths.stride + path];
    Mask<S, 1> lost{false};
    slow::advance(geometry, x, move, {seed, paths.first + static_cast<std::uint32_t>(path), 0}, steps, lost);
    for (int k = 0; k < d; ++k) paths.x[k * paths.stride + path] = x[k].v;
    geometry.end(x);
    for (int k = 0; k < d; ++k) paths.x[(d + k) * paths.stride + path] = x[k].v;
    if (lost.value) paths.lost[path] = 1;
  }
  template <class Members>
  void take_arrays(const Members& team) const {
    Geometry<Members> geometry(loss, noise, metric, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(loss.dim(), team), move(loss.dim(), team);
  }
  template <class Members>
  SDE_DEVICE void operator()(const Members& team, long first, long every, long count) const {
    const int d = loss.dim();
    Geometry<Members> geometry(loss, noise, metric, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(d, team), move(d, team);
    for (long path = first; path < count; path += every) {
      team.each(d, [&](int k) { x[k] = paths.x[(d + k) * paths.stride + path]; });
      geometry.begin(x.data(), gain);
      team.each(d, [&](int k) { x[k] = paths.x[k * paths.stride + path]; });
      Mask<S, 1> lost{false};
      const std::size_t before = team.used();
      slow::advance(geometry, x.data(), move.data(), {seed, paths.first + static_cast<std::uint32_t>(path), 0}, steps,
                    lost, team);
      team.give_back(before);
      team.each(d, [&](int k) { paths.x[k * paths.stride + path] = x[k].v; });
      geometry.end(x.data());
      team.each(d, [&](int k) { paths.x[(d + k) * paths.stride + path] = x[k].v; });
      team.once([&] {
        if (lost.value) paths.lost[path] = 1;
      });
    }
  }
};

}  // namespace sde::gpu
