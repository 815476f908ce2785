// The step loop of every algorithm: rounds of local steps by the workers, then a synchronization. What a step and a
// synchronization are is the update rule's (averaged_sgd.hpp). The conventional SDEs (theory.md section 5) run the same
// loop with Gaussian increments and `substeps` Euler-Maruyama steps for each step.
#pragma once

#include <algorithm>

#include "sde/discrete/algorithm.hpp"
#include "sde/discrete/disagreement.hpp"
#include "sde/discrete/position.hpp"
#include "sde/discrete/stochastic_gradient.hpp"

namespace sde::discrete {

/// What a path holds between rounds: its position first (in float then what its sums rounded off), then what its
/// algorithm keeps, once and for each worker.
struct StateShape {
  int dim = 0;
  int slots = 1;  ///< vectors of R^dim, the position among them
  SDE_DEVICE constexpr int size() const { return dim * slots; }
};
/// A rule that points into its algorithm's parameters, pointed into those of another copy.
template <class Rule>
Rule bound_to(const Rule& rule, const Algorithm&) {
  return rule;
}

/// Vectors of R^d that a path keeps for a rule beside its position.
template <class Rule>
SDE_DEVICE constexpr int slots_of(const Rule&, int workers) {
  return Rule::kSharedSlots + workers * Rule::kWorkerSlots;
}
/// Of an algorithm with this update rule, in numbers of type T.
template <class T, class Rule>
SDE_DEVICE constexpr StateShape shape_of(const Rule& rule, int dim, int workers) {
  return {dim, 1 + kCompensated<T> + slots_of(rule, workers)};
}
/// Numbers of a path's state where they are a constant.
template <class L, class Rule, class T>
inline constexpr int kStateSize = Rule::kWorkerSlots == 0 ? times(dim_of<L>, 1 + kCompensated<T> + Rule::kSharedSlots)
                                                          : kDynamic;

/// Rounds of one kind, spelled out: what the step loop needs to know of the schedules. The last may be cut short.
struct Rounds {
  std::int64_t from = 0, to = 0;  ///< local steps
  int workers = 1;
  std::int64_t H = 1;
  bool synchronizes = false;
  double rate = 0;                ///< eta over substeps where it is constant
  const double* rates = nullptr;  ///< the same for each step from `from` on where it is not
};

/// The rounds from step k on that have one kind, up to `to`; `rates` is the storage of changing rates. Not more than
/// about `most` steps, but at least one round.
inline Rounds rounds_from(const Algorithm& a, std::int64_t k, std::int64_t to, std::int64_t most,
                          std::vector<double>& rates) {
  const Round first = a.round(k);
  Rounds r{k, std::min(to, k + first.steps), first.workers, first.steps, first.synchronizes};
  while (r.to < to && r.to - k + first.steps <= most) {
    const Round next = a.round(r.to);
    if (next.workers != r.workers || next.steps != r.H || next.synchronizes != r.synchronizes) break;
    r.to = std::min(to, r.to + next.steps);
  }
  const int S = a.increments.conventional ? a.increments.substeps : 1;
  r.rate = a.rate.eta / S;
  if (a.rate.is_constant()) return r;
  rates.resize(static_cast<std::size_t>(r.to - k));
  for (std::size_t h = 0; h < rates.size(); ++h) rates[h] = a.rate(k + static_cast<std::int64_t>(h)) / S;
  r.rates = rates.data();
  return r;
}

/// Calls advance(rounds) for the steps from `from` to `to`, both ends of rounds, as rounds_from() divides them.
template <class Advance>
void for_each_rounds(const Algorithm& a, std::int64_t from, std::int64_t to, std::int64_t most,
                     std::vector<double>& rates, Advance advance) {
  for (std::int64_t k = from; k < to;) {
    const Rounds rounds = rounds_from(a, k, to, most, rates);
    advance(rounds);
    k = rounds.to;
  }
}

/// What the step loop needs to know of an algorithm beside its rounds.
struct Stepping {
  std::uint64_t seed = 0;
  int batch = 1;  ///< B
  int first_worker = 0;
  Drawing drawing;
  Stepping() = default;
  explicit Stepping(const Algorithm& a) : seed(a.seed), batch(a.batch), first_worker(a.first_worker) {
    const auto& i = a.increments;
    drawing = {a.batch, i.conventional, i.conventional ? i.substeps : 1, i.conventional && i.two_point, i.coarsening};
  }
};

/// Advances one group of lanes, x[size] (StateShape), through rounds. Returns by `spread` the root mean square distance
/// of the workers from their average at the end of the last round.
template <Loss L, class T, class Rule, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
class RoundLoop {
 public:
  SDE_DEVICE RoundLoop(const L& loss, const NoiseView<scalar_of<T>>& noise, const Rule& rule, const Stepping& stepping,
                       const Team& team = {})
      : rule_(rule),
        stepping_(stepping),
        team_(team),
        d_(loss.dim()),
        gradient_(loss, noise, stepping.drawing, team),
        y_(d_, team),
        rest_(kCompensated<T> ? int(d_) : 0, team),
        g_(d_, team),
        sum_(d_, team) {}

  SDE_DEVICE void advance(T* x, std::uint32_t path, const Rounds& all, T& spread) {
    const Rounds rounds = all;  // a copy that no store of the loop can change
    gradient_.use_batch(stepping_.batch / rounds.workers);
    for (std::int64_t k = rounds.from; k < rounds.to; k += rounds.H) {
      const std::int64_t left = rounds.to - k;
      round(x, path, k, rounds.H < left ? rounds.H : left, rounds, spread);
    }
  }

  /// total[columns] gains the noise recorded since the last call.
  SDE_DEVICE void take_noise(T* total) requires Coupled { gradient_.take_noise(total); }

 private:
  SDE_INLINE void round(T* x, std::uint32_t path, std::int64_t k, std::int64_t H, const Rounds& rounds, T& spread) {
    const int S = (kSources & kConventional) ? stepping_.drawing.substeps : 1, workers = rounds.workers;
    const double* const rates = rounds.rates ? rounds.rates + (k - rounds.from) : nullptr;
    const T constant = T(rounds.rate);
    const Position<T> from{x, x + d_}, y{y_.data(), rest_.data()};
    T* const slots = x + (1 + kCompensated<T>)*d_;
    T square = T(0.0);
    team_.strided(d_, [&](int j) { sum_[j] = T(0.0); });
    for (int worker = 0; worker < workers; ++worker) {
      gradient_.seek({stepping_.seed, path, static_cast<std::uint32_t>(stepping_.first_worker + worker)},
                     static_cast<std::uint64_t>(k * S));
      team_.each(d_, [&](int j) { y.set(from, j); });
      T* const kept = slots + (Rule::kSharedSlots + worker * Rule::kWorkerSlots) * d_;
      const std::int64_t stretch = rates ? 1 : H;  // steps of one rate
      for (std::int64_t h = 0; h < H; h += stretch) {
        const T eta = rates ? T(rates[h]) : constant;
        for (std::int64_t s = 0; s < stretch * S; ++s)
          rule_.step(gradient_, d_, y, kept, g_.data(), eta, k + h + s, team_);
      }
      // deviations from the common start: small numbers, no cancellation
      team_.strided(d_, [&](int j) { sum_[j] += y.since(from, j); });
      T sum = T(0.0);  // apart: a register holds it, as it cannot `square`, which outlives calls
      for (int j = 0; j < d_; ++j) {
        const T u = y.since(from, j);
        sum += u * u;
      }
      square += sum;
    }
    team_.sync();
    if (!rounds.synchronizes) {
      team_.each(d_, [&](int j) { from.set(y, j); });
      spread = T(0.0);
      return;
    }
    const T inverse = T(1.0 / workers);
    T mean_square = T(0.0);
    for (int j = 0; j < d_; ++j) {
      const T mean = sum_[j] * inverse;
      mean_square += mean * mean;
    }
    rule_.synchronize(
        d_, from, slots, [&](int j) { return sum_[j] * inverse; }, team_);
    spread = disagreement(square, mean_square, inverse);
  }

  const Rule rule_;
  const Stepping stepping_;
  const Team team_;
  const Extent<dim_of<L>> d_;
  StochasticGradient<L, T, Coupled, Team, kSources> gradient_;
  Buffer<T, dim_of<L>, Team> y_;
  Buffer<T, kCompensated<T> ? dim_of<L> : 0, Team> rest_;
  Buffer<T, dim_of<L>, Team> g_, sum_;
};

/// The step loop of a rule: this one, where a rule's file does not name another.
template <Loss L, class T, class Rule, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
struct LoopOf {
  using type = RoundLoop<L, T, Rule, Coupled, Team, kSources>;
};

}  // namespace sde::discrete
