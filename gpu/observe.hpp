// What is observed of paths on the device that they are on: Phi, the terms there, the moments of all of it in the order
// in which the CPU gathers them (ensemble/observer.cpp, blocks of kLanes paths). Squared losses that interpolate on
// Gamma: with one residual and a constant dimension by a thread for each path, else by a team.
#pragma once

#include "sde/loss/derivatives.hpp"
#include "sde/manifold/fibre_flow.hpp"
#include "sde/manifold/residual_system.hpp"
#include "sde/model/device_model.hpp"
#include "sde/slow/hypersurface_geometry.hpp"
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

/// values[q * stride + path], in the order of TileObservation::quantities, of every path that is still there; the
/// others' flags are set.
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
    using T = Pack<double, 1>;
    constexpr int D = dim_of<L>;
    if (gone[path]) return;
    T theta[D], point[D];
    bool kept = !paths.lost[path];
    for (int k = 0; k < D; ++k) {
      theta[k] = T(paths.state(k, path));
      point[k] = theta[k];
      kept = kept && lane(abs(theta[k]), 0) < kDiverged;
    }
    if (kept && what.flow) kept = manifold::fibre_flow(loss, what.tolerance, point);
    if (!kept) {
      gone[path] = 1;
      return;
    }
    slow::HypersurfaceGeometry<L, T> geometry(loss, noise);
    T moved[D];
    const auto predict = [&](slow::Term term) { geometry.drift(point, what.parameters, term, moved); };
    predict(slow::Term::drift_1);
    const double lambda = lane(geometry.eigenvalue(), 0);
    double square = 0;
    for (int k = 0; k < D; ++k) {
      const double gap = lane(point[k] - theta[k], 0);
      square += gap * gap;
    }
    int q = 0;
    const auto put = [&](double value) { at(q++, path) = value; };
    put(lane(loss::value(loss, static_cast<const T*>(theta)), 0));
    put(lambda);  // tr Hess
    put(lambda);  // lambda_max
    put(sqrt(square));
    put(paths.workers_spread(path));
    if constexpr (HasTestError<L>) {
      double plain[D];
      for (int k = 0; k < D; ++k) plain[k] = lane(theta[k], 0);
      put(loss.test_error(plain));
    }
    for (int p = 0; p < polynomials.count; ++p) put(polynomials(p, point, D));
    if (what.components == 0) return;

    const auto put_components = [&](const T* x) {
      for (int c = 0; c < D; ++c)
        if (c < what.components) put(lane(x[c], 0));
    };
    put_components(moved);
    if (what.parameters.workers > 1)
      predict(slow::Term::drift_2);
    else
      for (int k = 0; k < D; ++k) moved[k] = T(0.0);
    put_components(moved);
    geometry.ito_normal(what.parameters.batch, moved);
    put_components(moved);
    geometry.diffusion(what.parameters.batch, moved);
    put_components(moved);
    for (int c = 0; c < D; ++c)
      if (c < what.components) put(rate(c, path, lane(point[c], 0)));
  }

  /// By a team: paths first, first + every, ... below count.
  SDE_DEVICE void operator()(const Team& team, long first, long every, long count) const {
    Work work(*this, team);
    for (long path = first; path < count; path += every)
      if (!gone[path] && !observe(team, work, path)) team.once([&] { gone[path] = 1; });
  }
  /// Takes of a counting team what the call above takes.
  void take_arrays(const Team& team) const { Work(*this, team); }

 private:
  struct Work {
    using System = manifold::ResidualSystem<L, Team>;
    slow::ResidualGeometry<L, double, Team> geometry;
    System system;
    manifold::TimeFlow<System, Team> time;
    Buffer<double, kDynamic, Team> theta, point, moved;
    SDE_DEVICE Work(const Observe& o, const Team& team)
        : geometry(o.loss, o.noise, team),
          system(o.loss, geometry, team),
          time(o.loss.dim(), team),
          theta(o.loss.dim(), team),
          point(o.loss.dim(), team),
          moved(o.loss.dim(), team) {}
  };

  /// False where the path has left.
  SDE_DEVICE bool observe(const Team& team, Work& work, long path) const {
    auto& [geometry, system, time, theta, point, moved] = work;
    const int d = geometry.d, n = geometry.n;
    team.each(d, [&](int k) { theta[k] = point[k] = paths.state(k, path); });
    bool kept = !paths.lost[path];
    for (int k = 0; k < d; ++k) kept = kept && abs(theta[k]) < kDiverged;
    if (!kept) return false;
    if (what.flow) {
      const manifold::FlowOptions options{.tolerance = what.tolerance, .polish_below = what.polish_below};
      if (time.flow(system, options, point.data()) != manifold::FlowEnd::near_gamma) return false;
      if (!time.polish(system, point.data()) || !system.interpolates(time.norm(point.data()))) return false;
    }
    geometry.compute(point.data());
    loss::residuals(loss, theta.data(), geometry.f.data(), team);
    double squares = 0, gap = 0;
    for (int i = 0; i < n; ++i) squares += geometry.f[i] * geometry.f[i];
    for (int k = 0; k < d; ++k) gap += (point[k] - theta[k]) * (point[k] - theta[k]);
    int q = 0;
    const auto put = [&](double value) {
      team.mine(0, [&] { at(q, path) = value; });
      ++q;
    };
    put(squares * (0.5 / n));
    put(geometry.trace());
    put(geometry.largest);
    put(sqrt(gap));
    put(paths.workers_spread(path));
    if constexpr (HasTestError<L>) {
      team.once([&] { at(q, path) = loss.test_error(theta.data()); });
      ++q;
    }
    team.strided(polynomials.count, [&](int p) { at(q + p, path) = polynomials(p, point.data(), d); });
    q += polynomials.count;
    if (what.components == 0) return true;

    const auto put_components = [&](auto&& component) {
      team.strided(what.components, [&](int c) { at(q + c, path) = component(c); });
      q += what.components;
    };
    const auto of_moved = [&](int c) { return moved[c]; };
    const slow::Prepared parameters(what.parameters);
    geometry.contract(slow::Term::drift_1, parameters, moved.data());
    put_components(of_moved);
    if (parameters.workers > 1) {
      geometry.contract(slow::Term::drift_2, parameters, moved.data());
      put_components(of_moved);
    } else {
      put_components([](int) { return 0.0; });
    }
    geometry.ito_normal(parameters.batch, moved.data());
    put_components(of_moved);
    geometry.diffusion(parameters.batch, moved.data());
    put_components(of_moved);
    put_components([&](int c) { return rate(c, path, point[c]); });
    return true;
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

/// Number q * blocks + b: the moments of quantity q over block b of kLanes paths.
struct ReduceBlock {
  const double* values;
  const Gone* gone;
  long stride, count, blocks;
  stats::Moments* parts;
  SDE_DEVICE void operator()(long number) const {
    const long q = number / blocks, b = number % blocks;
    stats::Moments part;
    const long end = (b + 1) * kLanes < count ? (b + 1) * kLanes : count;
    for (long path = b * kLanes; path < end; ++path)
      if (!gone[path]) part.add(values[q * stride + path]);
    parts[number] = part;
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
