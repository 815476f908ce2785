// What is observed of paths on the device that they are on: Phi, the terms there, the moments of all of it in the order
// in which the CPU gathers them (ensemble/observer.cpp, blocks of kLanes paths). Losses of one residual with a constant
// dimension.
#pragma once

#include "sde/loss/derivatives.hpp"
#include "sde/manifold/fibre_flow.hpp"
#include "sde/model/device_model.hpp"
#include "sde/slow/hypersurface_geometry.hpp"
#include "sde/stats/moments.hpp"
#include "steps.hpp"

namespace sde::gpu {

/// Polynomials in device memory: term t has coefficient[t] and the powers power_end[t - 1] .. power_end[t]; polynomial p
/// has the terms term_end[p - 1] .. term_end[p].
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

/// values[q * stride + path] of every path that is still there; the others' flags are set.
template <class L, class S>
struct Observe {
  L loss;
  NoiseView<double> noise;
  Paths<S> paths;
  TileObservation what;
  Polynomials polynomials;
  double* values;
  double* previous;  ///< Phi at the last observation: component c of path i at previous[c * stride + i]
  Gone* gone;

  SDE_DEVICE void operator()(long path) const {
    using T = Pack<double, 1>;
    constexpr int D = dim_of<L>;
    if (gone[path]) return;
    T theta[D], point[D];
    bool kept = !paths.lost[path];
    for (int k = 0; k < D; ++k) {
      theta[k] = T(static_cast<double>(paths.x[k * paths.stride + path]));
      point[k] = theta[k];
      kept = kept && lane(abs(theta[k]), 0) < kDiverged;
    }
    if (kept && what.flow) kept = manifold::fibre_flow(loss, what.tolerance, point);
    if (!kept) {
      gone[path] = 1;
      return;
    }
    double* out = values + path;
    const auto put = [&](double value) {
      *out = value;
      out += paths.stride;
    };
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
    put(lane(loss::value(loss, static_cast<const T*>(theta)), 0));
    put(lambda);  // tr Hess
    put(lambda);  // lambda_max
    put(sqrt(square));
    put(static_cast<double>(paths.spread[path]));
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
      if (c < what.components) {
        double& last = previous[c * paths.stride + path];
        const double here = lane(point[c], 0);
        put(what.width > 0 ? (here - last) / what.width : 0.0);
        last = here;
      }
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
