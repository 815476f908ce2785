// What a thread, or a team, does with a path: loads it, runs the step loop that the CPU runs (round_loop.hpp,
// slow_sde.hpp), stores it. Compiled by nvcc for the device and by g++ for the tests.
#pragma once

#include "sde/discrete/round_loop.hpp"
#include "sde/slow/geometry_of.hpp"
#include "sde/slow/slow_sde.hpp"
#include "team.hpp"

namespace sde::gpu {

/// Paths in device memory: component k of path i's state (discrete::StateShape) at x[k * stride + i].
template <class S>
struct Paths {
  S* x;
  S* spread;
  std::uint8_t* lost;
  long stride;
  std::uint32_t first;  ///< number of path 0
};

/// The same to be read as doubles, whatever they are kept in: the kernels that read them are compiled once.
struct AnyPaths {
  explicit AnyPaths(const Paths<double>& p) : x(p.x), spread(p.spread), lost(p.lost), stride(p.stride) {}
  explicit AnyPaths(const Paths<float>& p) : x_single(p.x), spread_single(p.spread), lost(p.lost), stride(p.stride) {}
  SDE_DEVICE double state(int k, long path) const {
    const long at = k * stride + path;
    return x ? x[at] : static_cast<double>(x_single[at]);
  }
  SDE_DEVICE double workers_spread(long path) const {
    return spread ? spread[path] : static_cast<double>(spread_single[path]);
  }

  const double *x = nullptr, *spread = nullptr;
  const float *x_single = nullptr, *spread_single = nullptr;
  const std::uint8_t* lost;
  long stride;
};

/// Every path to theta[d], and what its algorithm keeps beside its position to 0.
template <class S>
struct Start {
  Paths<S> paths;
  const S* theta;
  int d, size;
  SDE_DEVICE void operator()(long path) const {
    for (int k = 0; k < size; ++k) paths.x[k * paths.stride + path] = k < d ? theta[k] : S(0);
    paths.spread[path] = S(0);
    paths.lost[path] = 0;
  }
};

template <class L, class S, class Rule, unsigned kSources>
struct DiscreteSteps {
  L loss;
  NoiseView<S> noise;
  Rule rule;
  discrete::Stepping stepping;
  discrete::Rounds rounds;
  Paths<S> paths;

  template <class Team>
  using Loop = typename discrete::LoopOf<L, Pack<S, 1>, Rule, false, Team, kSources>::type;
  static constexpr int kSize = discrete::kStateSize<L, Rule, S>;

  SDE_DEVICE int size() const { return discrete::shape_of<S>(rule, loss.dim(), rounds.workers).size(); }

  /// By one thread.
  SDE_DEVICE void operator()(long path) const {
    Loop<Solo> loop(loss, noise, rule, stepping);
    Pack<S, 1> x[kSize];
    for (int k = 0; k < kSize; ++k) x[k] = paths.x[k * paths.stride + path];
    Pack<S, 1> spread(S(0));
    loop.advance(x, paths.first + static_cast<std::uint32_t>(path), rounds, spread);
    for (int k = 0; k < kSize; ++k) paths.x[k * paths.stride + path] = x[k].v;
    paths.spread[path] = spread.v;
  }
  /// Takes of a counting team what the call below takes.
  template <class Members>
  void take_arrays(const Members& team) const {
    Loop<Members> loop(loss, noise, rule, stepping, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(size(), team);
  }
  /// By a team, or a lone thread: paths first, first + every, ... below count.
  template <class Members>
  SDE_DEVICE void operator()(const Members& team, long first, long every, long count) const {
    const int n = size();
    Loop<Members> loop(loss, noise, rule, stepping, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(n, team);
    for (long path = first; path < count; path += every) {
      team.each(n, [&](int k) { x[k] = paths.x[k * paths.stride + path]; });
      Pack<S, 1> spread(S(0));
      loop.advance(x.data(), paths.first + static_cast<std::uint32_t>(path), rounds, spread);
      team.each(n, [&](int k) { paths.x[k * paths.stride + path] = x[k].v; });
      team.once([&] { paths.spread[path] = spread.v; });
    }
  }
};

template <class L, class S>
struct SlowSteps {
  /// In float shared memory holds the arrays of more warps than registers would (docs/gpu.md).
  static constexpr int kResidentTeams = sizeof(S) == sizeof(float) ? 2 : 1;

  L loss;
  NoiseView<S> noise;
  std::uint64_t seed;
  slow::Steps steps;
  Paths<S> paths;

  template <class Team>
  using Geometry = slow::GeometryOf<L, Pack<S, 1>, Team>;

  SDE_DEVICE void operator()(long path) const {
    Geometry<Solo> geometry(loss, noise);
    Pack<S, 1> x[dim_of<L>], move[dim_of<L>];
    for (int k = 0; k < dim_of<L>; ++k) x[k] = paths.x[k * paths.stride + path];
    Mask<S, 1> lost{false};
    slow::advance(geometry, x, move, {seed, paths.first + static_cast<std::uint32_t>(path), 0}, steps, lost);
    for (int k = 0; k < dim_of<L>; ++k) paths.x[k * paths.stride + path] = x[k].v;
    if (lost.value) paths.lost[path] = 1;
  }
  template <class Members>
  void take_arrays(const Members& team) const {
    Geometry<Members> geometry(loss, noise, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(loss.dim(), team), move(loss.dim(), team);
  }
  template <class Members>
  SDE_DEVICE void operator()(const Members& team, long first, long every, long count) const {
    const int d = loss.dim();
    Geometry<Members> geometry(loss, noise, team);
    Buffer<Pack<S, 1>, kDynamic, Members> x(d, team), move(d, team);
    for (long path = first; path < count; path += every) {
      team.each(d, [&](int k) { x[k] = paths.x[k * paths.stride + path]; });
      Mask<S, 1> lost{false};
      const std::size_t before = team.used();
      slow::advance(geometry, x.data(), move.data(), {seed, paths.first + static_cast<std::uint32_t>(path), 0}, steps,
                    lost, team);
      team.give_back(before);
      team.each(d, [&](int k) { paths.x[k * paths.stride + path] = x[k].v; });
      team.once([&] {
        if (lost.value) paths.lost[path] = 1;
      });
    }
  }
};

/// A loss of which a team asks everything entry by entry (concepts.hpp): no member needs arrays of its own.
template <class L>
concept ByEntries = requires(const L& loss, const double* x) {
  loss.residual(0, x);
  loss.jacobian_entry(0, 0, x);
  loss.pullback_entry(0, x, x);
  loss.weighted_hvp_entry(0, x, x, x);
};

/// A loss whose derivatives are all written by hand: a lone thread needs no scratch for automatic ones.
template <class L>
concept ByHand = loss::detail::JacobianByHand<L> && loss::detail::PullbackByHand<L, double> &&
    requires(const L& loss, const double* x, double* g) {
  loss.weighted_hvp(x, x, x, g);
};

/// Numbers of the widest automatic pass, the product of a Hessian with a vector, for all members at once; of a loss
/// whose slow SDE goes through its Hessian, a third derivative.
template <class L>
int automatic_scratch(const L& loss, int members) {
  constexpr int C = loss::detail::chunk<L>;
  const int n = sample_count(loss), d = loss.dim();
  if (ValueLoss<L> && d <= slow::kHessianDimensions) return members * (4 * (C + 1) * d + 4 * d);
  return members * (2 * (C + 1) * (d + n) + 2 * d);
}

/// Bytes of a team's arena for a body: what its constructors take, and the scratch of derivatives.
template <class L, class S, class Body>
std::size_t arena_bytes(const L& loss, const Body& body, int members) {
  std::size_t used = 0;
  body.take_arrays(Team::counting(members, &used));
  // By entries: the second derivatives of all residuals along one direction.
  const int scratch = ByEntries<L> ? 4 * loss.dim() : automatic_scratch(loss, members);
  return used + Team::bytes<Pack<S, 1>>(scratch) + 64 + Team::bytes<Pack<S, 1>>(4 * members);
}
/// The same of a lone thread.
template <class L, class S, class Body>
std::size_t lone_bytes(const L& loss, const Body& body) {
  std::size_t used = 0;
  body.take_arrays(Lone::counting(&used));
  return used + (ByHand<L> ? 0 : Team::bytes<Pack<S, 1>>(automatic_scratch(loss, 1)) + 64);
}

}  // namespace sde::gpu
