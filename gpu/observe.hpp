// What is observed of paths on the device that they are on: Phi, the terms there (model/observables.hpp), the moments
// of all of it in the order in which the CPU gathers them (blocks of kLanes paths). Squared losses that interpolate on
// Gamma: with one residual and a constant dimension by a thread for each path, else by a team. Losses without
// residuals, of few dimensions: by a lone thread for each path, or a team where its arrays are too large for one.
#pragma once

#include "sde/loss/derivatives.hpp"
#include "sde/manifold/fibre_flow.hpp"
#include "sde/manifold/hessian_system.hpp"
#include "sde/manifold/residual_system.hpp"
#include "sde/model/device_model.hpp"
#include "sde/model/observables.hpp"
#include "sde/slow/geometry_of.hpp"
#include "sde/stats/moments.hpp"
#include "steps.hpp"

namespace sde::gpu {

/// Polynomials in device memory: term t has coefficient[t] and the powers power_end[t - 1] .. power_end[t]; polynomial
/// p has the terms term_end[p - 1] .. term_end[p].
struct Polynomials {
  int count = 0;
  const double* coefficient = nullptr;
  const int *term_end = nullptr, *power_end = nullptr, *coordinate = nullptr, *exponent = nullptr;

  template <class T>
  SDE_DEVICE double operator()(int p, const T* x, int d) const {
    double sum = 0;
    for (int t = p > 0 ? term_end[p - 1] : 0; t < term_end[p]; ++t) {
      double product = coefficient[t];
      for (int q = t > 0 ? power_end[t - 1] : 0; q < power_end[t]; ++q)
        for (int i = 0; i < exponent[q]; ++i)
          for (int k = 0; k < d; ++k)  // no address of a register
            if (k == coordinate[q]) product *= lane(x[k], 0);
      sum += product;
    }
    return sum;
  }
};

/// Why a path is no longer observed, 0 while it is.
using Gone = std::uint8_t;

struct Clear {
  Gone* gone;
  SDE_DEVICE void operator()(long path) const { gone[path] = 0; }
};

/// What Phi and the terms are computed by, where arrays are in memory.
template <Loss L, class Members>
struct Observing {
  using Geometry = slow::ResidualGeometry<L, double, Members>;
  using System = manifold::ResidualSystem<L, Members>;
};
template <ValueLoss L, class Members>
struct Observing<L, Members> {
  using Geometry = slow::HessianGeometry<L, double, Members>;
  using System = manifold::HessianSystem<L, Members>;
};

/// values[q * stride + path], in the order of TileObservation::quantities but for the last, of_rate_pairs(), of every
/// path that is still there; the others' flags are set.
template <class L>
struct Observe {
  L loss;
  NoiseView<double> noise;
  AnyPaths paths;
  TileObservation what;
  Polynomials polynomials;
  double* values;
  double* previous;  ///< Phi at the last observation: component c of path i at previous[c * stride + i]
  Gone* gone;

  /// By one thread.
  SDE_DEVICE void operator()(long path) const {
    if (gone[path]) return;
    OfThread one(*this, path);
    if (!one.on_gamma()) {
      gone[path] = 1;
      return;
    }
    record(one);
  }

  /// By a team, or a lone thread: paths first, first + every, ... below count.
  template <class Members>
  SDE_DEVICE void operator()(const Members& team, long first, long every, long count) const {
    Work<Members> work(*this, team);
    for (long path = first; path < count; path += every)
      if (!gone[path] && !observe(team, work, path)) team.once([&] { gone[path] = 1; });
  }
  /// Takes of a counting team what the call above takes.
  template <class Members>
  void take_arrays(const Members& team) const {
    Work<Members>(*this, team);
  }

 private:
  /// Puts all that is observed of a path where it belongs.
  template <class Path>
  SDE_DEVICE void record(Path& path) const {
    for_each_observable(HasTestError<L>, path);
    if (what.components > 0) for_each_component(what.parameters, path);
  }

  /// A path of one thread: its observables, and their record.
  struct OfThread {
    using T = Pack<double, 1>;
    static constexpr int D = dim_of<L>;
    const Observe& o;
    const long path;
    T theta[D], point[D], moved[D], covariance[D * D];
    slow::HypersurfaceGeometry<L, T> geometry;
    int q = 0;

    SDE_DEVICE OfThread(const Observe& all, long number) : o(all), path(number), geometry(all.loss, all.noise) {
      for (int k = 0; k < D; ++k) point[k] = theta[k] = T(o.paths.state(k, path));
    }
    /// Sends the path through Phi and evaluates the terms there; false where it has left.
    SDE_DEVICE bool on_gamma() {
      bool kept = !o.paths.lost[path];
      for (int k = 0; k < D; ++k) kept = kept && lane(abs(theta[k]), 0) < kDiverged;
      if (kept && o.what.flow) kept = manifold::fibre_flow(o.loss, o.what.tolerance, point);
      if (kept) geometry.drift(point, o.what.parameters, slow::Term::drift_1, moved);
      return kept;
    }

    SDE_DEVICE double loss() const { return lane(loss::value(o.loss, static_cast<const T*>(theta)), 0); }
    SDE_DEVICE double trace_hessian() const { return lane(geometry.eigenvalue(), 0); }
    SDE_DEVICE double lambda_max() const { return lane(geometry.eigenvalue(), 0); }
    SDE_DEVICE double distance() const {
      double square = 0;
      for (int k = 0; k < D; ++k) {
        const double gap = lane(point[k] - theta[k], 0);
        square += gap * gap;
      }
      return sqrt(square);
    }
    SDE_DEVICE double disagreement() const { return o.paths.workers_spread(path); }
    SDE_DEVICE double test_error() const {
      double plain[D];
      for (int k = 0; k < D; ++k) plain[k] = lane(theta[k], 0);
      return o.test_error(plain);
    }
    SDE_DEVICE auto drift(slow::Term term) {
      geometry.drift(point, o.what.parameters, term, moved);
      return component();
    }
    SDE_DEVICE auto ito_normal() {
      geometry.ito_normal(o.what.parameters.diffusion_batch(), moved);
      return component();
    }
    SDE_DEVICE auto diffusion() {
      geometry.diffusion(o.what.parameters.diffusion_batch(), covariance);
      return [this](int i, int k) { return lane(covariance[i * D + k], 0); };
    }
    SDE_DEVICE auto component() const {
      return [this](int c) { return lane(moved[c], 0); };
    }
    SDE_DEVICE auto rate() const {
      return [this](int c) { return o.rate(c, path, lane(point[c], 0)); };
    }

    template <class F>
    SDE_INLINE void scalar(const char*, F f) {
      put(f(*this));
    }
    SDE_INLINE void polynomials() {
      for (int p = 0; p < o.polynomials.count; ++p) put(o.polynomials(p, point, D));
    }
    template <class F>
    SDE_INLINE void components(PerComponent, F f) {
      const auto value = f(*this);
      for (int c = 0; c < D; ++c)
        if (c < o.what.components) put(value(c));
    }
    template <class F>
    SDE_INLINE void pairs(F f) {
      const auto value = f(*this);
      const int n = matrix_components(o.what.components);
      for (int i = 0; i < D; ++i)
        for (int k = i + 1; k < D; ++k)
          if (k < n) put(value(i, k));
    }
    SDE_INLINE void rate_pairs() const {}  // ReduceBlock takes them from the rates
    SDE_INLINE void put(double value) { o.at(q++, path) = value; }
  };

  template <class Members>
  struct Work {
    using System = typename Observing<L, Members>::System;
    typename Observing<L, Members>::Geometry geometry;
    System system;
    manifold::TimeFlow<System, Members> time;
    Buffer<double, kDynamic, Members> theta, point, moved, covariance;
    SDE_DEVICE Work(const Observe& o, const Members& team)
        : geometry(o.loss, o.noise, team),
          system(o.loss, geometry, team),
          time(o.loss.dim(), team),
          theta(o.loss.dim(), team),
          point(o.loss.dim(), team),
          moved(o.loss.dim(), team),
          covariance(ValueLoss<L> ? o.loss.dim() * o.loss.dim() : 0, team) {}
  };

  /// A path of a team: its observables, each by one member, and their record; drifts and diffusion by all.
  template <class Members>
  struct OfTeam {
    const Observe& o;
    const Members& team;
    Work<Members>& work;
    const long path;
    const slow::Prepared parameters;
    const double* f = nullptr;  ///< residuals at theta
    int q = 0;

    SDE_DEVICE OfTeam(const Observe& all, const Members& members, Work<Members>& arrays, long number)
        : o(all), team(members), work(arrays), path(number), parameters(all.what.parameters) {}
    /// Sends the path through Phi and evaluates the terms there; false where it has left.
    SDE_DEVICE bool on_gamma() {
      // Not a structured binding: lambdas may not capture those.
      auto& geometry = work.geometry;
      auto& system = work.system;
      auto& time = work.time;
      auto &theta = work.theta, &point = work.point;
      const int d = geometry.d;
      team.each(d, [&](int k) { theta[k] = point[k] = o.paths.state(k, path); });
      bool kept = !o.paths.lost[path];
      for (int k = 0; k < d; ++k) kept = kept && abs(theta[k]) < kDiverged;
      if (!kept) return false;
      if (o.what.flow) {
        const manifold::FlowOptions options{.tolerance = o.what.tolerance, .polish_below = o.what.polish_below};
        if (time.flow(system, options, point.data()) != manifold::FlowEnd::near_gamma) return false;
        if constexpr (SquaredLoss<L>) {
          if (!time.polish(system, point.data())) return false;
          if (!system.interpolates(time.norm(point.data()))) return false;
        } else {
          if (!polish_across(time, system, point.data())) return false;
        }
      }
      geometry.compute(point.data());
      if constexpr (SquaredLoss<L>) f = geometry.residuals_at(theta.data());
      return true;
    }

    SDE_DEVICE double loss() const {
      if constexpr (ValueLoss<L>) {
        return o.loss.value(static_cast<const double*>(work.theta.data()));
      } else {
        double squares = 0;
        for (int i = 0; i < work.geometry.n; ++i) squares += f[i] * f[i];
        return squares * (0.5 / work.geometry.n);
      }
    }
    SDE_DEVICE double trace_hessian() const { return work.geometry.trace(); }
    SDE_DEVICE double lambda_max() const { return work.geometry.largest_eigenvalue(); }
    SDE_DEVICE double distance() const {
      double gap = 0;
      for (int k = 0; k < work.geometry.d; ++k)
        gap += (work.point[k] - work.theta[k]) * (work.point[k] - work.theta[k]);
      return sqrt(gap);
    }
    SDE_DEVICE double disagreement() const { return o.paths.workers_spread(path); }
    SDE_DEVICE double test_error() const { return o.test_error(work.theta.data()); }
    SDE_DEVICE auto drift(slow::Term term) {
      work.geometry.contract(term, parameters, work.moved.data());
      return component();
    }
    SDE_DEVICE auto ito_normal() {
      work.geometry.ito_normal(parameters.diffusion_batch(), work.moved.data());
      return component();
    }
    SDE_DEVICE auto diffusion() const {
      if constexpr (ValueLoss<L>) {
        work.geometry.diffusion(parameters.diffusion_batch(), work.covariance.data());
        return [this](int i, int k) { return work.covariance[i * work.geometry.d + k]; };
      } else {
        return [this](int i, int k) { return work.geometry.diffusion(parameters.diffusion_batch(), i, k); };
      }
    }
    SDE_DEVICE auto component() const {
      return [this](int c) { return work.moved[c]; };
    }
    SDE_DEVICE auto rate() const {
      return [this](int c) { return o.rate(c, path, work.point[c]); };
    }

    template <class F>
    SDE_DEVICE void scalar(const char*, F f) {
      team.once([&] { o.at(q, path) = f(*this); });
      ++q;
    }
    SDE_DEVICE void polynomials() {
      team.strided(o.polynomials.count,
                   [&](int p) { o.at(q + p, path) = o.polynomials(p, work.point.data(), work.geometry.d); });
      q += o.polynomials.count;
    }
    template <class F>
    SDE_DEVICE void components(PerComponent, F f) {
      const auto value = f(*this);
      team.strided(o.what.components, [&](int c) { o.at(q + c, path) = value(c); });
      q += o.what.components;
    }
    template <class F>
    SDE_DEVICE void pairs(F f) {
      const auto value = f(*this);
      const int count = pairs_of(o.what.components);
      team.strided(count, [&](int p) {
        const auto pair = pair_of(p, o.what.components);
        o.at(q + p, path) = value(pair.first, pair.second);
      });
      q += count;
    }
    SDE_DEVICE void rate_pairs() const {}  // ReduceBlock takes them from the rates
  };

  /// False where the path has left.
  template <class Members>
  SDE_DEVICE bool observe(const Members& team, Work<Members>& work, long path) const {
    OfTeam<Members> one(*this, team, work, path);
    if (!one.on_gamma()) return false;
    record(one);
    return true;
  }

  /// 0, which nobody asks for, of a loss without one.
  SDE_DEVICE double test_error(const double* theta) const {
    if constexpr (HasTestError<L>)
      return loss.test_error(theta);
    else
      return 0;
  }
  SDE_DEVICE double& at(int q, long path) const { return values[q * paths.stride + path]; }
  /// Increment of component c of Phi since the last observation, which becomes `here`, over the time between.
  SDE_DEVICE double rate(int c, long path, double here) const {
    double& last = previous[c * paths.stride + path];
    double rate = 0;
    if (what.width > 0) rate = (here - last) / what.width;  // else there was none
    last = here;
    return rate;
  }
};

/// Number q * blocks + b: the moments of quantity q over block b of kLanes paths. The first `stored` quantities have
/// values, the last `components` of which are rates; their sums and differences (TileObservation::of_rate_pairs)
/// follow.
struct ReduceBlock {
  const double* values;
  const Gone* gone;
  long stride, count, blocks;
  int stored, components;
  stats::Moments* parts;
  SDE_DEVICE void operator()(long number) const {
    const long b = number % blocks;
    const int q = static_cast<int>(number / blocks);
    if (q < stored)
      parts[number] = moments(b, [&](long path) { return value(q, path); });
    else
      parts[number] = of_rate_pair(b, q - stored);
  }

 private:
  SDE_DEVICE double value(int q, long path) const { return values[q * stride + path]; }
  template <class F>
  SDE_INLINE stats::Moments moments(long b, F f) const {
    stats::Moments part;
    const long end = (b + 1) * kLanes < count ? (b + 1) * kLanes : count;
    for (long path = b * kLanes; path < end; ++path)
      if (!gone[path]) part.add(f(path));
    return part;
  }
  SDE_DEVICE stats::Moments of_rate_pair(long b, int p) const {
    const int pairs = pairs_of(components), rates = stored - components;
    const auto pair = pair_of(p % pairs, components);
    const double sign = p < pairs ? 1 : -1;
    return moments(
        b, [&](long path) { return value(rates + pair.first, path) + sign * value(rates + pair.second, path); });
  }
};

/// Number g * quantities + q: adds the blocks of group g to its total of quantity q, in their order.
struct MergeBlocks {
  const stats::Moments* parts;
  long blocks, group_blocks;
  int quantities;
  stats::Moments* totals;
  SDE_DEVICE void operator()(long number) const {
    const long g = number / quantities, q = number % quantities;
    const long end = (g + 1) * group_blocks < blocks ? (g + 1) * group_blocks : blocks;
    stats::Moments total = totals[number];
    for (long b = g * group_blocks; b < end; ++b) total.merge(parts[q * blocks + b]);
    totals[number] = total;
  }
};

}  // namespace sde::gpu
