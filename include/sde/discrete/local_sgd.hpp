// SGD, Local SGD, post-local SGD and QSR are one loop: rounds of H local steps by K workers, then the average. SGD with
// batch B is one worker with local batch B (theory.md section 1). The conventional SDEs (section 5) run the same loop
// with Gaussian increments and `substeps` Euler-Maruyama steps for each step.
#pragma once

#include <algorithm>

#include "sde/discrete/schedule.hpp"
#include "sde/discrete/stochastic_gradient.hpp"

namespace sde::discrete {

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

/// Advances one group of lanes, x[d], from step `from` to step `to` (both ends of rounds). Returns by `spread` the root
/// mean square distance of the workers from their average at the end of the last round.
template <Loss L, class T, bool Coupled = false>
class LocalSgdLoop {
 public:
  LocalSgdLoop(const L& loss, const Noise& noise, const LocalSgd& algorithm)
      : algorithm_(algorithm),
        d_(loss.dim()),
        columns_(noise.columns()),
        one_(loss, noise, drawing(algorithm, 1)),
        many_(loss, noise, drawing(algorithm, algorithm.workers)),
        y_(d_),
        g_(d_),
        sum_(d_) {}

  void advance(T* x, std::uint32_t path, std::int64_t from, std::int64_t to, T& spread) {
    const int S = algorithm_.conventional ? algorithm_.substeps : 1;
    for (std::int64_t k = from; k < to;) {
      const auto round = algorithm_.round(k);
      const std::int64_t H = std::min(round.H, to - k);
      const bool constant = algorithm_.rate.is_constant();
      if (!constant) {
        rates_.resize(static_cast<std::size_t>(H));
        for (std::int64_t h = 0; h < H; ++h) rates_[static_cast<std::size_t>(h)] = algorithm_.rate(k + h) / S;
      }
      const double rate = algorithm_.rate.eta / S;
      auto& gradient = round.workers == 1 ? one_ : many_;
      T square = T(0.0);
      for (int j = 0; j < d_; ++j) sum_[j] = T(0.0);
      for (int worker = 0; worker < round.workers; ++worker) {
        gradient.seek({algorithm_.seed, path, static_cast<std::uint32_t>(worker)}, static_cast<std::uint64_t>(k * S));
        for (int j = 0; j < d_; ++j) y_[j] = x[j];
        for (std::int64_t h = 0; h < H; ++h) {
          const T eta = T(constant ? rate : rates_[static_cast<std::size_t>(h)]);
          for (int s = 0; s < S; ++s) {
            gradient(y_.data(), g_.data());
            for (int j = 0; j < d_; ++j) y_[j] -= eta * g_[j];
          }
        }
        for (int j = 0; j < d_; ++j) {  // deviations from the common start: small numbers, no cancellation
          const T u = y_[j] - x[j];
          sum_[j] += u;
          square += u * u;
        }
      }
      const T inverse = T(1.0 / round.workers);
      T mean_square = T(0.0);
      for (int j = 0; j < d_; ++j) {
        const T mean = sum_[j] * inverse;
        mean_square += mean * mean;
        x[j] = round.workers == 1 ? y_[j] : x[j] + mean;
      }
      const T variance = square * inverse - mean_square;
      spread = round.workers == 1 ? T(0.0) : sqrt(select(variance < T(0.0), T(0.0), variance));
      k += H;
    }
  }

  /// sums[s * kLanes + lane] gains the noise of column s recorded since the last call.
  void take_noise(double* sums) requires Coupled {
    std::vector<T> total(static_cast<std::size_t>(columns_), T(0.0));
    one_.take_noise(total.data());
    many_.take_noise(total.data());
    for (int s = 0; s < columns_; ++s)
      for (int l = 0; l < lanes_of<T>; ++l) sums[s * kLanes + l] += lane(total[s], l);
  }

 private:
  static Drawing drawing(const LocalSgd& a, int workers) {
    return {a.batch / workers, a.conventional, a.conventional ? a.substeps : 1, a.conventional && a.two_point, a.fold};
  }
  const LocalSgd& algorithm_;
  const Extent<dim_of<L>> d_;
  const int columns_;
  StochasticGradient<L, T, Coupled> one_, many_;  // all workers as one with batch B, and each with B/K
  Buffer<T, dim_of<L>> y_, g_, sum_;
  std::vector<double> rates_;
};

}  // namespace sde::discrete
