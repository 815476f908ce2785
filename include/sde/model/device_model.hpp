// A loss on a GPU, behind an interface: what gpu/ implements and the ensemble drives. Nothing here needs CUDA.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sde/model/observables.hpp"
#include "sde/model/paired_tile.hpp"
#include "sde/slow/lane_metric.hpp"
#include "sde/slow/slow_sde.hpp"
#include "sde/stats/moments.hpp"

namespace sde {

/// Floating-point numbers of a kernel's steps; states are handed over, and observed, in double.
enum class Precision { full, single };

/// No usable device: none there, a driver too old, an unknown ordinal, a problem too large for it.
struct DeviceUnusable : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// A device that failed while it worked.
struct DeviceFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A path with a coordinate beyond this has left the domain, on the CPU and on a device.
inline constexpr double kDiverged = 1e8;

/// State of a tile's paths on the host.
struct TileState {
  std::vector<double> x;           ///< component k of path i: x[k * count + i]
  std::vector<double> spread;      ///< rms distance of the workers from their average
  std::vector<std::uint8_t> lost;  ///< retraction failed since start()
};

/// Polynomials of the coordinates, flattened: polynomial p has the terms term_end[p - 1] .. term_end[p], and term t
/// the factors coordinate^exponent number power_end[t - 1] .. power_end[t].
struct FlatPolynomials {
  std::vector<double> coefficient;
  std::vector<int> term_end, power_end, coordinate, exponent;
};

/// What is observed of a tile at one time.
struct TileObservation {
  slow::Parameters parameters;  ///< for the predicted drifts and diffusion
  int components = 0;           ///< first coordinates whose drift and diffusion are recorded
  bool flow = true;             ///< send the paths through Phi first
  double tolerance = 1e-9;      ///< of the flow, for each step
  double polish_below = 1e-5;   ///< where its polish takes over (manifold/time_flow.hpp)
  bool test_error = false;      ///< the loss has one
  double width = 0;             ///< slow time since the last observation; 0 at the first
  long group = 0;               ///< paths whose moments make one total, a multiple of kLanes

  /// Numbers observed of a path: the observables with so many polynomials, then those of each component and pair
  /// (model/observables.hpp).
  int quantities(int polynomials) const;
  /// The last ones of them, which follow from the rates.
  int of_rate_pairs() const { return 2 * pairs_of(components); }
};

/// Counts observables.
struct QuantityCount {
  int polynomial_count, component_count, all = 0;
  SDE_DEVICE void scalar(const char*, auto) { ++all; }
  SDE_DEVICE void polynomials() { all += polynomial_count; }
  SDE_DEVICE void components(PerComponent, auto) { all += component_count; }
  SDE_DEVICE void pairs(auto) { all += pairs_of(component_count); }
  SDE_DEVICE void rate_pairs() { all += 2 * pairs_of(component_count); }
};
inline int TileObservation::quantities(int polynomials) const {
  QuantityCount count{polynomials, components};
  for_each_observable(test_error, count);
  for_each_component(parameters, count);
  return count.all;
}

/// Consecutive paths of one loss on their way on one device. Calls return before the work is done; wait()
/// and read() wait for it.
/// Every member throws DeviceFailure.
class DeviceTile {
 public:
  virtual ~DeviceTile() = default;
  /// Most paths that it holds: what was asked for, or less where memory is short.
  virtual long capacity() const = 0;
  /// Paths number first .. first + count - 1 begin at theta[d].
  virtual void start(std::uint32_t first, long count, const double* theta) = 0;
  /// A discrete algorithm or a conventional SDE: through `rounds`.
  virtual void advance(const discrete::Rounds& rounds) = 0;
  /// A slow SDE on Gamma: `steps`.
  virtual void advance(const slow::Steps& steps) = 0;
  virtual void wait() = 0;
  virtual void read(TileState& state) = 0;

  /// Makes room for observing on the device, which may lower capacity(). For a loss that interpolates on Gamma, or has
  /// no residuals: a path whose flow ends where residuals stay is gone. Returns false where the loss has no code for
  /// it: then its state is to be read and observed by the caller.
  virtual bool observe_here(const FlatPolynomials&, const TileObservation& shape) = 0;
  /// Adds the quantities of the paths in hand to totals[g * quantities + quantity], path i belonging to g = i / group,
  /// and gives the values of the first `keep` that are still there as samples[quantity]; gone[path] is set for those
  /// that are not.
  virtual void observe(const TileObservation&, std::vector<stats::Moments>& totals, long keep,
                       std::vector<std::vector<double>>& samples, std::vector<std::uint8_t>& gone) = 0;
};

/// A loss on a GPU: makes tiles of paths there.
class DeviceModel {
 public:
  virtual ~DeviceModel() = default;
  /// Room for `paths` paths on device number `ordinal`, or for fewer where memory is short. Throws DeviceUnusable.
  virtual std::unique_ptr<DeviceTile> discrete_tile(int ordinal, long paths, const Noise&, const discrete::Algorithm&,
                                                    Precision) const = 0;
  /// For a squared loss that interpolates on Gamma, or a loss without residuals of at most slow::kHessianDimensions
  /// dimensions, which steps in double; draws from `seed`. Throws DeviceUnusable for any other.
  virtual std::unique_ptr<DeviceTile> slow_tile(int ordinal, long paths, const Noise&, std::uint64_t seed,
                                                Precision) const = 0;
  /// The same in a metric that moves with the path, of paths (theta, v - v(0)). Throws as slow_tile().
  virtual std::unique_ptr<DeviceTile> metric_tile(int ordinal, long paths, const Noise&, const slow::MetricNumbers&,
                                                  std::uint64_t seed, Precision) const = 0;
  /// The algorithm beside its slow SDEs on common noise; nothing where the loss or the noise has no code for it.
  virtual std::unique_ptr<PairedTile> paired_tile(int ordinal, long paths, const Noise&, const PairedSetup&) const = 0;
};

}  // namespace sde
