// What a thread does with a path of a pairing: the algorithm with its noise kept, its slow SDEs on that noise, Phi.
#pragma once

#include "sde/manifold/fibre_flow.hpp"
#include "sde/model/paired_steps.hpp"
#include "steps.hpp"

namespace sde::gpu {

/// PairedState in device memory, with `stride` in the place of its count.
struct PairedPaths {
  double *x, *point, *fine, *coarse, *martingale;
  std::uint8_t *lost, *lost_by;
  long stride;
  std::uint32_t first;  ///< number of path 0
  int prediction_count, function_count;
};

/// The slow variable of the algorithm's state, to[d] (AlgorithmType::slow_variable), by the weights of its slots.
struct SlowVariable {
  PairedPaths paths;
  const double* weights;
  int slots, d;
  double* to;
  SDE_DEVICE void operator()(long path) const {
    for (int k = 0; k < d; ++k) {
      double lag = 0;
      for (int s = 0; s < slots; ++s) lag += weights[s] * paths.x[((s + 1) * d + k) * paths.stride + path];
      to[k * paths.stride + path] = paths.x[k * paths.stride + path] + lag;
    }
  }
};

/// Phi of from[d], the slow variable; `lost` where there is none.
template <class L>
struct ProjectPaired {
  L loss;
  double tolerance;
  PairedPaths paths;
  const double* from;
  SDE_DEVICE void operator()(long path) const {
    constexpr int D = dim_of<L>;
    if (paths.lost[path]) return;
    Pack<double, 1> x[D];
    bool kept = true;
    for (int k = 0; k < D; ++k) {
      x[k] = from[k * paths.stride + path];
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

/// The algorithm to theta[d], what it keeps beside its position to 0, and all that is gathered to 0.
struct StartPaired {
  PairedPaths paths;
  const double* theta;
  int d, size;
  SDE_DEVICE void operator()(long path) const {
    for (int k = 0; k < size; ++k) paths.x[k * paths.stride + path] = k < d ? theta[k] : 0.0;
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
  PairedStepping pairing;
  PairedPaths paths;

  using T = Pack<double, 1>;
  static constexpr int D = dim_of<L>;
  static constexpr int kSize = discrete::kStateSize<L, Rule, double>;
  /// A path of the algorithm and one of a slow SDE: more registers, no spills.
  static constexpr int kResidentBlocks = 2;

  SDE_DEVICE int size() const { return discrete::shape_of<double>(rule, D, rounds.workers).size(); }

  /// By one thread, in registers.
  SDE_DEVICE void operator()(long path) const { OnePath<Solo>(*this, {}).run(path); }
  /// Takes of a counting team what the call below takes.
  template <class Members>
  void take_arrays(const Members& team) const {
    OnePath<Members>(*this, team);
  }
  /// By a lone thread, which has what the algorithm keeps in memory of its own: paths first, first + every, ... below
  /// count.
  template <class Members>
  SDE_DEVICE void operator()(const Members& team, long first, long every, long count) const {
    OnePath<Members> one(*this, team);
    for (long path = first; path < count; path += every) one.run(path);
  }

 private:
  /// What advance_pairs() asks for.
  template <class Team>
  struct OnePath {
    static constexpr int Dim = D;
    const PairedSteps& body;
    typename discrete::LoopOf<L, T, Rule, true, Team, discrete::kUnsampled>::type loop;
    Buffer<T, kSize, Team> x;
    T spread{0.0};
    long path = 0;

    SDE_DEVICE OnePath(const PairedSteps& b, const Team& team)
        : body(b), loop(b.loss, b.noise, b.rule, b.stepping, team), x(b.size(), team) {}

    SDE_DEVICE void run(long number) {
      path = number;
      const int n = kSize == kDynamic ? body.size() : kSize;
      for (int k = 0; k < n; ++k) x[k] = body.paths.x[k * body.paths.stride + path];
      T one[D], both[D], unit[D];
      advance_pairs(*this, body.pairing, body.rounds.from, body.pairs, one, both, unit);
      for (int k = 0; k < n; ++k) body.paths.x[k * body.paths.stride + path] = x[k].v;
    }

    SDE_DEVICE static constexpr int size() { return D; }  // there may be fewer columns
    SDE_DEVICE void draw(std::int64_t k, T* one) {
      for (int c = 0; c < D; ++c) one[c] = T(0.0);
      auto here = body.rounds;
      here.from = k;
      here.to = k + body.pairing.steps;
      loop.advance(x.data(), body.paths.first + static_cast<std::uint32_t>(path), here, spread);
      loop.take_noise(one);
    }
    template <class Control>
    SDE_DEVICE void step(int p, bool fine, const slow::Parameters& parameters, double width, const T* unit,
                         bool controlled, Control control) {
      const auto& paths = body.paths;
      double* const state = (fine ? paths.fine : paths.coarse) + p * D * paths.stride + path;
      slow::HypersurfaceGeometry<L, T> geometry(body.loss, body.noise);
      T at[D], moved[D];
      double before[D];
      for (int k = 0; k < D; ++k) {
        before[k] = state[k * paths.stride];
        at[k] = before[k];
      }
      const auto column = [&](int s) {
        T value = unit[0];
        at_index<D>(s, [&](int c) { value = unit[c]; });
        return value;
      };
      Mask<double, 1> lost{false};
      slow::given_step(geometry, at, moved, parameters, width, column, lost);
      for (int k = 0; k < D; ++k) state[k * paths.stride] = at[k].v;
      if (lost.value) paths.lost_by[p * paths.stride + path] = 1;
      if (!controlled) return;
      slow::martingale(geometry, parameters, width, column, moved);
      double along[D];
      for (int k = 0; k < D; ++k) along[k] = moved[k].v;
      control(before, along, paths.martingale + path, paths.stride);
    }
  };
};

}  // namespace sde::gpu
