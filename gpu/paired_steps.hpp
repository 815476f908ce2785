// What a thread does with a path of a pairing: the algorithm with its noise kept, its slow SDEs on that noise, Phi.
#pragma once

#include "sde/manifold/fibre_flow.hpp"
#include "sde/model/paired_tile.hpp"
#include "steps.hpp"

namespace sde::gpu {

/// PairedState in device memory, with `stride` in the place of its count.
struct PairedPaths {
  double *x, *point, *fine, *coarse, *martingale;
  std::uint8_t *lost, *lost_by;
  long stride;
  std::uint32_t first;  ///< number of path 0
  const PairedSlowSde* predictions;
  int prediction_count;
  const SmoothFunction* functions;
  int function_count;
};

/// Phi of the algorithm's position; `lost` where there is none.
template <class L>
struct ProjectPaired {
  L loss;
  double tolerance;
  PairedPaths paths;
  SDE_DEVICE void operator()(long path) const {
    constexpr int D = dim_of<L>;
    if (paths.lost[path]) return;
    Pack<double, 1> x[D];
    bool kept = true;
    for (int k = 0; k < D; ++k) {
      x[k] = paths.x[k * paths.stride + path];
      kept = kept && lane(abs(x[k]), 0) < kDiverged;
    }
    kept = kept && manifold::fibre_flow(loss, tolerance, x);
    if (!kept) paths.lost[path] = 1;
    if (kept)
      for (int k = 0; k < D; ++k) paths.point[k * paths.stride + path] = x[k].v;
  }
};

/// The SDEs to point[d], or where that is null to what ProjectPaired found.
struct BeginPaired {
  PairedPaths paths;
  const double* point;
  int d;
  SDE_DEVICE void operator()(long path) const {
    for (int k = 0; k < d; ++k) {
      const double x = point ? point[k] : paths.point[k * paths.stride + path];
      paths.point[k * paths.stride + path] = x;
      for (int p = 0; p < paths.prediction_count; ++p)
        paths.fine[(p * d + k) * paths.stride + path] = paths.coarse[(p * d + k) * paths.stride + path] = x;
    }
  }
};

/// The algorithm to theta[d], and all that is gathered to 0.
struct StartPaired {
  PairedPaths paths;
  const double* theta;
  int d;
  SDE_DEVICE void operator()(long path) const {
    for (int k = 0; k < d; ++k) paths.x[k * paths.stride + path] = theta[k];
    paths.lost[path] = 0;
    for (int p = 0; p < paths.prediction_count; ++p) {
      paths.lost_by[p * paths.stride + path] = 0;
      for (int q = 0; q < paths.function_count; ++q)
        paths.martingale[(p * paths.function_count + q) * paths.stride + path] = 0;
    }
  }
};

/// `pairs` double steps, `rounds` being those of the first fine step.
template <class L, class Rule>
struct PairedSteps {
  L loss;
  NoiseView<double> noise;
  Rule rule;
  discrete::Stepping stepping;
  discrete::Rounds rounds;
  std::int64_t pairs;
  double dt;                ///< of a fine step
  double normalization[2];  ///< PairedSetup::normalization(1), (2)
  PairedPaths paths;

  using T = Pack<double, 1>;
  static constexpr int D = dim_of<L>;
  /// A path of the algorithm and one of a slow SDE: more registers, no spills.
  static constexpr int kResidentBlocks = 2;
  using Loop = discrete::RoundLoop<L, T, Rule, true, Solo, discrete::kUnsampled>;
  using Geometry = slow::HypersurfaceGeometry<L, T>;

  SDE_DEVICE void operator()(long path) const {
    Loop loop(loss, noise, rule, stepping);
    T x[D], spread(0.0);
    for (int k = 0; k < D; ++k) x[k] = paths.x[k * paths.stride + path];
    auto here = rounds;
    const std::int64_t steps = rounds.to - rounds.from;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      T both[D];
      for (int c = 0; c < D; ++c) both[c] = T(0.0);
      for (int half = 0; half < 2; ++half) {
        T one[D];
        for (int c = 0; c < D; ++c) one[c] = T(0.0);
        loop.advance(x, paths.first + static_cast<std::uint32_t>(path), here, spread);
        loop.take_noise(one);
        for (int c = 0; c < D; ++c) both[c] += one[c];
        move(path, one, 1, paths.fine, true);
        here.from += steps;
        here.to += steps;
      }
      move(path, both, 2, paths.coarse, false);
    }
    for (int k = 0; k < D; ++k) paths.x[k * paths.stride + path] = x[k].v;
  }

 private:
  /// One step of every prediction, `length` fine steps long, driven by the algorithm's summed noise.
  SDE_DEVICE void move(long path, const T* sums, int length, double* states, bool fine) const {
    const T norm(normalization[length - 1]);
    T unit[D];
    for (int c = 0; c < D; ++c) unit[c] = sums[c] * norm;
    for (int p = 0; p < paths.prediction_count; ++p) {
      double* const state = states + p * D * paths.stride + path;
      Geometry geometry(loss, noise);
      T x[D], moved[D];
      double before[D];
      for (int k = 0; k < D; ++k) {
        before[k] = state[k * paths.stride];
        x[k] = before[k];
      }
      int next = 0;
      const auto draw = [&] {
        T value = unit[0];
        at_index<D>(next, [&](int c) { value = unit[c]; });
        ++next;
        return value;
      };
      const auto& prediction = paths.predictions[p];
      const double width = length * dt * prediction.time_scale;
      Mask<double, 1> lost{false};
      slow::step(geometry, x, moved, prediction.parameters, width, draw, true, lost);
      for (int k = 0; k < D; ++k) state[k * paths.stride] = x[k].v;
      if (lost.value) paths.lost_by[p * paths.stride + path] = 1;
      if (!fine || paths.function_count == 0) continue;
      // grad g(zeta) . P_par A dW at the beginning of the step
      next = 0;
      for (int k = 0; k < D; ++k) moved[k] = T(0.0);
      geometry.diffuse(T(std::sqrt(width / prediction.parameters.batch)), draw, moved);
      double along[D];
      for (int k = 0; k < D; ++k) along[k] = moved[k].v;
      for (int q = 0; q < paths.function_count; ++q)
        paths.martingale[(p * paths.function_count + q) * paths.stride + path] +=
            paths.functions[q].template derivative<D>(before, along);
    }
  }
};

}  // namespace sde::gpu
