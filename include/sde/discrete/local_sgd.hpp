// SGD, Local SGD, post-local SGD and QSR are one loop: rounds of H local steps by K workers, then the average. SGD with
// batch B is one worker with local batch B (theory.md section 1). The conventional SDEs (section 5) run the same loop
// with Gaussian increments and `substeps` Euler-Maruyama steps for each step.
#pragma once

#include <algorithm>

#include "sde/discrete/schedule.hpp"
#include "sde/discrete/stochastic_gradient.hpp"

namespace sde::discrete {

/// Local SGD with its schedules; SGD for K = 1; the conventional SDE of either.
struct LocalSgd {
  LearningRate rate;
  Synchronization sync;
  int workers = 1;  ///< K
  int batch = 1;    ///< B = K B_loc
  bool conventional = false;
  int substeps = 1;        ///< of the conventional SDE
  bool two_point = false;  ///< its increments are +-1 instead of Gaussian
  std::uint64_t seed = 0;
  int fold = 1;  ///< of a coupled loop, see Drawing

  /// Workers and round length at step k. SGD (and the part of post-local SGD before the switch) needs no rounds; its
  /// steps are taken in pieces.
  struct Round {
    int workers;
    std::int64_t H;
  };
  Round round(std::int64_t k) const {
    constexpr std::int64_t kPiece = 1024;
    if (workers == 1) return {1, kPiece};
    if (!sync.local(k)) return {1, std::min(kPiece, sync.switch_step - k)};
    return {workers, round_length(k)};
  }
  /// H at step k. During warm-up it is that of the first round after it, as in the QSR paper: a rate near 0 would make
  /// one endless round of the start.
  std::int64_t H(std::int64_t k) const { return sync(k, rate(std::max(k, rate.warmup))); }
  /// Steps in a round at a constant rate: H, and 1 for SGD, whose workers agree after every step.
  std::int64_t steps_in_round() const { return workers == 1 ? 1 : H(0); }
  /// Steps of the round that begins at step k: H, but a schedule's last round ends with the schedule.
  std::int64_t round_length(std::int64_t k) const {
    return rate.is_constant() ? H(k) : std::clamp<std::int64_t>(rate.steps - k, 1, H(k));
  }
};

/// Rounds of one kind, spelled out: what the step loop needs to know of the schedules. The last may be cut short.
struct Rounds {
  std::int64_t from = 0, to = 0;  ///< local steps
  int workers = 1;
  std::int64_t H = 1;
  double rate = 0;                ///< eta over substeps where it is constant
  const double* rates = nullptr;  ///< the same for each step from `from` on where it is not
};

/// The rounds from step k on that have one kind, up to `to`; `rates` is the storage of changing rates. Not more than
/// about `most` steps, but at least one round.
inline Rounds rounds_from(const LocalSgd& a, std::int64_t k, std::int64_t to, std::int64_t most,
                          std::vector<double>& rates) {
  const auto first = a.round(k);
  Rounds r{k, std::min(to, k + first.H), first.workers, first.H, 0, nullptr};
  while (r.to < to && r.to - k + first.H <= most) {
    const auto next = a.round(r.to);
    if (next.workers != r.workers || next.H != r.H) break;
    r.to = std::min(to, r.to + next.H);
  }
  const int S = a.conventional ? a.substeps : 1;
  r.rate = a.rate.eta / S;
  if (a.rate.is_constant()) return r;
  rates.resize(static_cast<std::size_t>(r.to - k));
  for (std::size_t h = 0; h < rates.size(); ++h) rates[h] = a.rate(k + static_cast<std::int64_t>(h)) / S;
  r.rates = rates.data();
  return r;
}

/// Calls advance(rounds) for the steps from `from` to `to`, both ends of rounds, as rounds_from() divides them.
template <class Advance>
void for_each_rounds(const LocalSgd& a, std::int64_t from, std::int64_t to, std::int64_t most,
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
  Drawing drawing;
  Stepping() = default;
  /// `recorded`: what a coupled loop keeps of its draws.
  explicit Stepping(const LocalSgd& a, const Innovations& recorded = {})
      : seed(a.seed), batch(a.batch), drawing{a.batch,
                                              a.conventional,
                                              a.conventional ? a.substeps : 1,
                                              a.conventional && a.two_point,
                                              a.fold,
                                              recorded} {}
};

/// Advances one group of lanes, x[d], through rounds. Returns by `spread` the root mean square distance of the workers
/// from their average at the end of the last round.
template <Loss L, class T, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
class LocalSgdLoop {
 public:
  SDE_DEVICE LocalSgdLoop(const L& loss, const NoiseView<scalar_of<T>>& noise, const Stepping& stepping,
                          const Team& team = {})
      : stepping_(stepping),
        team_(team),
        d_(loss.dim()),
        gradient_(loss, noise, stepping.drawing, team),
        y_(d_, team),
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
  SDE_DEVICE const Stepping& stepping() const { return stepping_; }

 private:
  SDE_INLINE void round(T* x, std::uint32_t path, std::int64_t k, std::int64_t H, const Rounds& rounds, T& spread) {
    const int S = (kSources & kConventional) ? stepping_.drawing.substeps : 1, workers = rounds.workers;
    const double* const rates = rounds.rates ? rounds.rates + (k - rounds.from) : nullptr;
    const T constant = T(rounds.rate);
    T square = T(0.0);
    team_.strided(d_, [&](int j) { sum_[j] = T(0.0); });
    for (int worker = 0; worker < workers; ++worker) {
      gradient_.seek({stepping_.seed, path, static_cast<std::uint32_t>(worker)}, static_cast<std::uint64_t>(k * S));
      team_.each(d_, [&](int j) { y_[j] = x[j]; });
      const std::int64_t stretch = rates ? 1 : H;  // steps of one rate
      for (std::int64_t h = 0; h < H; h += stretch) {
        const T eta = rates ? T(rates[h]) : constant;
        for (std::int64_t left = stretch * S; left > 0; --left) gradient_.descend(y_.data(), g_.data(), eta);
      }
      // deviations from the common start: small numbers, no cancellation
      team_.strided(d_, [&](int j) { sum_[j] += y_[j] - x[j]; });
      T sum = T(0.0);  // apart: a register holds it, as it cannot `square`, which outlives calls
      for (int j = 0; j < d_; ++j) {
        const T u = y_[j] - x[j];
        sum += u * u;
      }
      square += sum;
    }
    team_.sync();
    const T inverse = T(1.0 / workers);
    T mean_square = T(0.0);
    for (int j = 0; j < d_; ++j) {
      const T mean = sum_[j] * inverse;
      mean_square += mean * mean;
    }
    team_.each(d_, [&](int j) { x[j] = workers == 1 ? y_[j] : x[j] + sum_[j] * inverse; });
    const T variance = square * inverse - mean_square;
    spread = workers == 1 ? T(0.0) : sqrt(select(variance < T(0.0), T(0.0), variance));
  }

  const Stepping stepping_;
  const Team team_;
  const Extent<dim_of<L>> d_;
  StochasticGradient<L, T, Coupled, Team, kSources> gradient_;
  Buffer<T, dim_of<L>, Team> y_, g_, sum_;
};

}  // namespace sde::discrete
