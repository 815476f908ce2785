// The step loop of an algorithm that is given by matrices (theory.md section 9): any number of slots, each step some
// gradients at combinations of them, all slots mixed. Slower than the rules of round_loop.hpp, and for all that is
// linear in its gradients: workers on a graph, delays, a user's own updates.
#pragma once

#include <algorithm>

#include "sde/discrete/disagreement.hpp"
#include "sde/discrete/position.hpp"
#include "sde/discrete/round_loop.hpp"

namespace sde::discrete {

/// The matrices of a period z <- A z - eta C g, g_w at (R z)_w, by rows: plain values and pointers, which linear_rule()
/// (linear_program.hpp) makes and keeps. Rows 0 .. G-1 of a step are those of R, then S of A, then S of C.
struct LinearRule {
  // What a path keeps: the observed combination of its slots first, then of each slot its deviation from that.
  static constexpr int kSharedSlots = 0, kWorkerSlots = kDynamic;

  int slots = 1, gradients = 1, steps = 1;  ///< S, G, and steps of a period
  const int* kind = nullptr;                ///< [steps] which matrices
  const int* start = nullptr;               ///< [kind][G + 2 S], then the end: where a row begins in column, weight
  const int* column = nullptr;
  const double* weight = nullptr;
  const double* observed = nullptr;   ///< [S] the combination that is observed
  const double* consensus = nullptr;  ///< [S] 1 of iterates, 0 of momenta

  SDE_DEVICE int rows() const { return gradients + 2 * slots; }
};
/// Vectors [d] that a worker of this rule keeps: those of its matrices.
inline SDE_DEVICE int slots_of(const LinearRule& rule, int) { return rule.slots; }

/// As RoundLoop; rounds.workers is G.
template <Loss L, class T, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
class LinearLoop {
 public:
  SDE_DEVICE LinearLoop(const L& loss, const NoiseView<scalar_of<T>>& noise, const LinearRule& rule,
                        const Stepping& stepping, const Team& team = {})
      : rule_(rule),
        stepping_(stepping),
        team_(team),
        d_(loss.dim()),
        gradient_(loss, noise, stepping.drawing, team),
        y_(d_, team),
        g_(d_, team),
        next_(rule.slots * d_, team) {}

  SDE_DEVICE void advance(T* x, std::uint32_t path, const Rounds& all, T& spread) {
    const Rounds rounds = all;  // a copy that no store of the loop can change
    gradient_.use_batch(stepping_.batch / rule_.gradients);
    const Position<T> base{x, x + d_};
    T* const z = x + (1 + kCompensated<T>)*d_;
    // One gradient a step goes on with its stream; of several each has its own.
    if (rule_.gradients == 1) gradient_.seek({stepping_.seed, path, 0}, static_cast<std::uint64_t>(rounds.from));
    for (std::int64_t k = rounds.from; k < rounds.to; ++k)
      step(base, z, path, k, rounds.rates ? T(rounds.rates[k - rounds.from]) : T(rounds.rate));
    spread = apart(z, rule_.kind[(rounds.to - 1) % rule_.steps]);
  }

  /// total[columns] gains the noise recorded since the last call.
  SDE_DEVICE void take_noise(T* total) requires Coupled { gradient_.take_noise(total); }

 private:
  /// out = the combination of z that a row asks for.
  SDE_INLINE T combined(int row, const T* z, int j) const {
    T sum = T(0.0);
    for (int e = rule_.start[row]; e < rule_.start[row + 1]; ++e)
      sum += T(rule_.weight[e]) * z[rule_.column[e] * d_ + j];
    return sum;
  }
  SDE_INLINE void step(const Position<T>& base, T* z, std::uint32_t path, std::int64_t k, const T& eta) {
    const int S = rule_.slots, G = rule_.gradients, kind = rule_.kind[k % rule_.steps];
    const int of_R = kind * rule_.rows(), of_A = of_R + G, of_C = of_A + S;
    for (int s = 0; s < S; ++s) team_.each(d_, [&](int j) { next_[s * d_ + j] = combined(of_A + s, z, j); });
    for (int w = 0; w < G; ++w) {
      if (G > 1) gradient_.seek({stepping_.seed, path, static_cast<std::uint32_t>(w)}, static_cast<std::uint64_t>(k));
      // R leaves the consensus: the point is base and a combination of deviations.
      team_.each(d_, [&](int j) { y_[j] = base.x[j] + combined(of_R + w, z, j); });
      gradient_(y_.data(), g_.data());
      for (int s = 0; s < S; ++s)
        for (int e = rule_.start[of_C + s]; e < rule_.start[of_C + s + 1]; ++e)
          if (rule_.column[e] == w) {
            const T rate = eta * T(rule_.weight[e]);
            team_.each(d_, [&](int j) { next_[s * d_ + j] -= rate * g_[j]; });
          }
    }
    // The base goes with what is observed, so that deviations stay small.
    team_.each(d_, [&](int j) {
      T moved = T(0.0);
      for (int s = 0; s < S; ++s) moved += T(rule_.observed[s]) * next_[s * d_ + j];
      base.move(j, moved);
      for (int s = 0; s < S; ++s) z[s * d_ + j] = next_[s * d_ + j] - T(rule_.consensus[s]) * moved;
    });
  }
  /// The root mean square distance of the points where gradients are taken from their mean.
  SDE_INLINE T apart(const T* z, int kind) const {
    const int G = rule_.gradients, of_R = kind * rule_.rows();
    if (G == 1) return T(0.0);
    T squares = T(0.0), mean_square = T(0.0);
    for (int j = 0; j < d_; ++j) {
      T mean = T(0.0);
      for (int w = 0; w < G; ++w) {
        const T u = combined(of_R + w, z, j);
        mean += u;
        squares += u * u;
      }
      mean = mean * T(1.0 / G);
      mean_square += mean * mean;
    }
    return disagreement(squares, mean_square, T(1.0 / G));
  }

  const LinearRule rule_;
  const Stepping stepping_;
  const Team team_;
  const Extent<dim_of<L>> d_;
  StochasticGradient<L, T, Coupled, Team, kSources> gradient_;
  Buffer<T, dim_of<L>, Team> y_, g_;
  Buffer<T, kDynamic, Team> next_;
};

template <Loss L, class T, bool Coupled, class Team, unsigned kSources>
struct LoopOf<L, T, LinearRule, Coupled, Team, kSources> {
  using type = LinearLoop<L, T, Coupled, Team, kSources>;
};

}  // namespace sde::discrete
