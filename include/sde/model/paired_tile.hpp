// The discrete algorithm and its slow SDEs on the same noise (verify/paired.hpp), path by path: on the CPU's lanes, or
// on a device (gpu/paired_tile.hpp).
#pragma once

#include <stdexcept>
#include <vector>

#include "sde/discrete/round_loop.hpp"
#include "sde/model/smooth_function.hpp"
#include "sde/slow/psi.hpp"

namespace sde {

/// A slow SDE to be held against the algorithm.
struct PairedSlowSde {
  slow::Parameters parameters;
  double time_scale = 1;  ///< its slow time over that of the algorithm
};

/// What a tile of pairs advances: the algorithm, slow SDEs on its draws, and what is gathered.
struct PairedSetup {
  discrete::Algorithm algorithm;
  std::vector<PairedSlowSde> predictions;
  std::int64_t steps = 1;                 ///< of the algorithm in one fine step of the SDEs
  double dt = 0;                          ///< a fine step, in slow time
  std::vector<SmoothFunction> functions;  ///< whose martingales are gathered; all of the pairing, or none

  /// What turns the sums of the draws of variance 1 (loss/innovations.hpp) that all workers made in `length` fine steps
  /// into increments of variance 1 of the SDE's step: they enter the algorithm with a minus sign (x <- x - eta g).
  double normalization(int length) const {
    return -1 / std::sqrt(static_cast<double>(length * steps) * algorithm.workers);
  }
};

/// Two fine steps of the slow SDEs and one of their length together, where schedules change: no two are alike.
struct PairedStep {
  std::int64_t from = 0, middle = 0, to = 0;      ///< local steps of the algorithm, ends of rounds
  double first = 0, second = 0;                   ///< slow time of either
  int first_workers = 1, second_workers = 1;      ///< who draw
  std::vector<PairedSlowSde> at_from, at_middle;  ///< predictions as they are there
};

/// Component k of path i at [k * count + i], prediction p's after those of p - 1.
struct PairedState {
  long count = 0;
  std::vector<double> x;              ///< [d] the algorithm's slow variable: its average, where nothing lags
  std::vector<double> point;          ///< [d] Phi of it at the last projection
  std::vector<double> fine, coarse;   ///< [prediction][d] the SDEs, with steps dt and 2 dt
  std::vector<double> martingale;     ///< [prediction][function] sum of grad g(zeta) . P_par A dW along the fine path
  std::vector<std::uint8_t> lost;     ///< the algorithm diverged or has no Phi
  std::vector<std::uint8_t> lost_by;  ///< [prediction] a retraction failed
};

/// Consecutive paths of one pairing on their way.
class PairedTile {
 public:
  virtual ~PairedTile() = default;
  /// Most paths that it holds.
  virtual long capacity() const = 0;
  /// Paths number first .. first + count - 1 of the algorithm begin at theta[d], and take `burn_in` steps alone.
  virtual void start(std::uint32_t first, long count, const double* theta, std::int64_t burn_in) = 0;
  /// PairedState::point <- Phi of where the algorithm stands; lost where there is none.
  virtual void project() = 0;
  /// The SDEs begin: at on_gamma[d], or without it at the last projection.
  virtual void begin(const double* on_gamma) = 0;
  /// `pairs` times two fine steps of the SDEs, and one of twice the length, from the algorithm's step k on.
  virtual void advance(std::int64_t k, std::int64_t pairs) = 0;
  /// Through one PairedStep. Throws std::logic_error where schedules have to be constant.
  virtual void advance_changing(const PairedStep&) {
    throw std::logic_error("paired tile: expected constant schedules");
  }
  virtual void read(PairedState& state) = 0;
};

}  // namespace sde
