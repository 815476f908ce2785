// A tile of paths on a device: memory, and the launches that move it. `Device` is a CUDA device (cuda_device.cuh) or,
// in the tests, the CPU running the same bodies (host_device.hpp).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "metric_steps.hpp"
#include "observe.hpp"
#include "paired_tile.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/model/device_model.hpp"
#include "steps.hpp"
#include "upload.hpp"

namespace sde::gpu {

/// Whether a thread takes a path in its registers (the sizes are constants). Else one takes it in memory of its own, or
/// a team does.
template <class L>
inline constexpr bool kPathPerThread = dim_of<L> > 0 && (!SquaredLoss<L> || residuals_of<L> == 1);

/// The same of a body, whose state may have a size that is none.
template <class L, class Body>
inline constexpr bool kInRegisters = [] {
  if constexpr (requires { Body::kSize; })
    return kPathPerThread<L> && Body::kSize != kDynamic;
  else
    return kPathPerThread<L>;
}();

/// A slow SDE in a metric, with draws from `seed`.
struct MetricSde {
  slow::MetricNumbers metric;
  std::uint64_t seed;
};

/// Members of a team: a warp, or a block where one would be long about it.
inline int team_size(int d) { return d <= 256 ? 32 : 256; }

template <class Device, class L, class S>
class TileOf final : public DeviceTile {
  template <class T>
  using Memory = typename Device::template Memory<T>;

  using DeviceLoss = DeviceLossOf<Device, L>;
  static_assert(std::is_trivially_copyable_v<DeviceLoss>,
                "a loss with arrays needs on_device(upload) to run on a GPU (sde/loss/concepts.hpp)");
  /// Whether it has the slow SDE: that of a loss without residuals in double alone (DeviceModelOf::slow_tile).
  static constexpr bool kSlowHere = slow::kMayHaveKernels<L> && (SquaredLoss<L> || sizeof(S) == sizeof(double));
  /// Whether the device itself observes the paths: a test error has to be there, too.
  static constexpr bool kObservedHere = slow::kMayHaveKernels<L> && HasTestError<L> == HasTestError<DeviceLoss>;

 public:
  TileOf(int ordinal, long paths, const L& loss, const Noise& noise, const discrete::Algorithm& algorithm)
      : TileOf(ordinal, paths, loss, noise, state_size(loss, algorithm)) {
    algorithm_ = algorithm;
    stepping_ = discrete::Stepping(algorithm);
    sources_ = discrete::sources_of(noise, stepping_.drawing, sample_count(loss));
  }
  TileOf(int ordinal, long paths, const L& loss, const Noise& noise, std::uint64_t seed)
      : TileOf(ordinal, paths, loss, noise, loss.dim()) {
    seed_ = seed;
  }
  TileOf(int ordinal, long paths, const L& loss, const Noise& noise, const MetricSde& sde)
      : TileOf(ordinal, paths, loss, noise, 2 * loss.dim()) {
    seed_ = sde.seed;
    metric_ = sde.metric;
    metric_->start = copy_of(device_, std::vector<double>(metric_->start, metric_->start + d_), v0_);
  }

  long capacity() const override { return stride_; }

  void start(std::uint32_t first, long count, const double* theta) override {
    first_ = first;
    count_ = count;
    const std::vector<S> from(theta, theta + d_);
    start_.write(from.data(), from.size());
    device_.launch(count_, Start<S>{paths(), start_.data(), d_, size_});
    if (quantities_ > 0) device_.launch(count_, Clear{gone_.data()});
  }

  void advance(const discrete::Rounds& rounds) override {
    auto here = rounds;
    if (rounds.rates) {
      const auto n = static_cast<std::size_t>(rounds.to - rounds.from);
      if (rates_.size() < n) rates_ = Memory<double>(device_, n);
      rates_.write(rounds.rates, n);
      here.rates = rates_.data();
    }
    discrete::Algorithms::with_rule(algorithm_,
                                    [&](const auto& rule) { advance_by(rules_.here(device_, rule, d_), here); });
  }

  void advance(const slow::Steps& steps) override {
    if constexpr (kSlowHere) {
      auto here = steps;
      here.parameters.weights = weights_.here(device_, steps.parameters.weights);
      if (metric_)
        launch_slow(
            MetricSteps<DeviceLoss, S>{loss_, noise_.view(), *metric_, metric_->gain(steps.dt), seed_, here, paths()});
      else
        launch_slow(SlowSteps<DeviceLoss, S>{loss_, noise_.view(), seed_, here, paths()});
    }
  }

  bool observe_here(const FlatPolynomials& polynomials, const TileObservation& shape) override {
    if constexpr (kObservedHere) {
      if (!slow::has_kernels(loss_)) return false;
      const auto count = static_cast<int>(polynomials.term_end.size());
      polynomials_ = {count,
                      copy_of(device_, polynomials.coefficient, coefficient_),
                      copy_of(device_, polynomials.term_end, term_end_),
                      copy_of(device_, polynomials.power_end, power_end_),
                      copy_of(device_, polynomials.coordinate, coordinate_),
                      copy_of(device_, polynomials.exponent, exponent_)};
      quantities_ = shape.quantities(count);
      stored_ = quantities_ - shape.of_rate_pairs();
      group_ = shape.group;
      reserve();
      return true;
    } else {
      (void)polynomials, (void)shape;
      return false;
    }
  }

  void observe(const TileObservation& what, std::vector<stats::Moments>& totals, long keep,
               std::vector<std::vector<double>>& samples, std::vector<std::uint8_t>& gone) override {
    if constexpr (kObservedHere) {
      auto here = what;
      here.parameters.weights = weights_.here(device_, what.parameters.weights);
      const Observe<DeviceLoss> body{loss_,        full_noise(),   AnyPaths(paths()), here,
                                     polynomials_, values_.data(), previous_.data(),  gone_.data()};
      if constexpr (ValueLoss<L>) {
        const auto arena = lone_bytes<DeviceLoss, double>(loss_, body);
        if (arena <= Device::lone_limit)
          device_.launch_lone(count_, arena, body);
        else
          launch_teams<double>(body);
      } else if constexpr (kPathPerThread<L>) {
        launch_threads(body);
      } else {
        launch_teams<double>(body);
      }
      const long blocks = (count_ + kLanes - 1) / kLanes;
      device_.launch(blocks * quantities_, ReduceBlock{values_.data(), gone_.data(), stride_, count_, blocks, stored_,
                                                       what.components, parts_.data()});
      totals_.write(totals.data(), totals.size());
      device_.launch(static_cast<long>(totals.size()),
                     MergeBlocks{parts_.data(), blocks, group_ / kLanes, quantities_, totals_.data()});
      totals_.read(totals.data(), totals.size());
      gone.resize(static_cast<std::size_t>(count_));
      gone_.read(gone.data(), gone.size());
      read_samples(keep, static_cast<std::size_t>(stored_), gone, samples);
    } else {
      (void)what, (void)totals, (void)keep, (void)samples, (void)gone;
      throw std::logic_error("observe_here() was false");
    }
  }

  void wait() override { device_.wait(); }

  void read(TileState& state) override {
    const auto n = static_cast<std::size_t>(count_), size = n * static_cast<std::size_t>(d_);
    state.x.resize(size);
    state.spread.resize(n);
    state.lost.resize(n);
    buffer_.resize(std::max(size, n));
    for (int k = 0; k < d_; ++k)
      x_.read(buffer_.data() + static_cast<std::size_t>(k) * n, n, static_cast<std::size_t>(k) * stride());
    std::copy_n(buffer_.begin(), size, state.x.begin());
    spread_.read(buffer_.data(), n);
    std::copy_n(buffer_.begin(), n, state.spread.begin());
    lost_.read(state.lost.data(), n);
  }

 private:
  static int state_size(const L& loss, const discrete::Algorithm& a) {
    return discrete::Algorithms::with_rule(
        a, [&](const auto& rule) { return discrete::shape_of<S>(rule, loss.dim(), a.workers).size(); });
  }
  /// `size`: numbers of a path's state.
  TileOf(int ordinal, long paths, const L& loss, const Noise& noise, int size)
      : device_(ordinal),
        d_(loss.dim()),
        size_(size),
        upload_(device_),
        loss_(on_device(loss, upload_)),
        start_(device_, static_cast<std::size_t>(d_)),
        noise_(device_, noise),
        rates_(device_, 0) {
    if constexpr (kObservedHere && sizeof(S) != sizeof(double)) full_noise_ = {device_, noise};
    stride_ = paths;
    reserve();
  }

  void reserve() {
    stride_ = halve_until_it_fits(stride_, [&](long paths) {
      const auto n = static_cast<std::size_t>(paths);
      x_ = {}, spread_ = {}, lost_ = {}, values_ = {}, previous_ = {}, gone_ = {}, parts_ = {}, totals_ = {};
      x_ = Memory<S>(device_, n * static_cast<std::size_t>(size_));
      spread_ = Memory<S>(device_, n);
      lost_ = Memory<std::uint8_t>(device_, n);
      if (quantities_ == 0) return;
      const auto q = static_cast<std::size_t>(quantities_);
      values_ = Memory<double>(device_, n * static_cast<std::size_t>(stored_));
      parts_ = Memory<stats::Moments>(device_, (n / kLanes + 1) * q);
      totals_ = Memory<stats::Moments>(device_, (n / static_cast<std::size_t>(group_) + 1) * q);
      previous_ = Memory<double>(device_, n * static_cast<std::size_t>(d_));
      gone_ = Memory<Gone>(device_, n);
    });
  }

  void read_samples(long keep, std::size_t quantities, const std::vector<std::uint8_t>& gone,
                    std::vector<std::vector<double>>& samples) {
    std::vector<std::size_t> kept;  // the paths
    for (std::size_t i = 0; i < gone.size() && static_cast<long>(kept.size()) < keep; ++i)
      if (!gone[i]) kept.push_back(i);
    samples.assign(quantities, {});
    if (kept.empty()) return;
    std::vector<double> row(kept.back() + 1);
    for (std::size_t q = 0; q < quantities; ++q) {
      values_.read(row.data(), row.size(), q * stride());
      for (const std::size_t i : kept) samples[q].push_back(row[i]);
    }
  }

  /// For what is observed, in double.
  const NoiseView<double>& full_noise() const {
    if constexpr (sizeof(S) == sizeof(double))
      return noise_.view();
    else
      return full_noise_.view();
  }
  std::size_t stride() const { return static_cast<std::size_t>(stride_); }
  Paths<S> paths() { return {x_.data(), spread_.data(), lost_.data(), stride_, first_}; }

  template <class Rule>
  void advance_by(const Rule& rule, const discrete::Rounds& rounds) {
    using namespace discrete;
    if constexpr (!std::is_same_v<Rule, AveragedSgd>) {  // one kernel each: builds are long enough
      if (fits_a_thread(discrete_steps<kAnySource>(rule, rounds)))
        launch_threads(discrete_steps<kAnySource>(rule, rounds));
      else
        launch_teams<S>(discrete_steps<kAnySource>(rule, rounds));
    } else if constexpr (kInRegisters<L, decltype(discrete_steps<kAnySource>(rule, rounds))>) {
      launch_first<Rule, kGaussianLabels, kTwoPointLabels, kAdditive, kUnsampled, kUnsampledGaussian,
                   kUnsampledTwoPoint>(rule, rounds);
    } else if (fits_a_thread(discrete_steps<kAnySource>(rule, rounds))) {
      launch_first<Rule, kGaussianLabels | kSampling, kAnySource>(rule, rounds);
    } else {
      launch_teams<S>(discrete_steps<kAnySource>(rule, rounds));
    }
  }
  /// The first kernel that has all sources in use.
  template <class Rule, unsigned kSources, unsigned... kMore>
  void launch_first(const Rule& rule, const discrete::Rounds& rounds) {
    if ((sources_ & ~kSources) == 0)
      launch_threads(discrete_steps<kSources>(rule, rounds));
    else if constexpr (sizeof...(kMore) > 0)
      launch_first<Rule, kMore...>(rule, rounds);
    else
      throw std::logic_error("no kernel for these sources of noise");
  }
  template <unsigned kSources, class Rule>
  DiscreteSteps<DeviceLoss, S, Rule, kSources> discrete_steps(const Rule& rule, const discrete::Rounds& rounds) {
    return {loss_, noise_.view(), rule, stepping_, rounds, paths()};
  }
  template <class Body>
  void launch_slow(const Body& body) {
    if constexpr (ValueLoss<L> || residuals_of<L> == 1) {
      if (kPathPerThread<L> || fits_a_thread(body)) {
        launch_threads(body);
        return;
      }
    }
    if constexpr (!kPathPerThread<L>) launch_teams<S>(body);
  }
  /// Whether a thread has room for the arrays of a path.
  template <class Body>
  bool fits_a_thread(const Body& body) const {
    return lone_bytes<DeviceLoss, S>(loss_, body) <= Device::lone_limit;
  }
  /// A path for each thread.
  template <class Body>
  void launch_threads(const Body& body) {
    if constexpr (kInRegisters<L, Body>)
      device_.launch(count_, body);
    else
      device_.launch_lone(count_, lone_bytes<DeviceLoss, S>(loss_, body), body);
  }
  /// A path for each team, by a body that computes in numbers of type Number.
  template <class Number, class Body>
  void launch_teams(const Body& body) {
    const int members = team_size(d_);
    device_.launch_teams(count_, members, arena_bytes<DeviceLoss, Number>(loss_, body, members), body);
  }

  Device device_;
  const int d_, size_;
  const Upload<Device> upload_;
  const DeviceLoss loss_;
  Memory<S> start_;
  DeviceNoise<Device, S> noise_;
  DeviceNoise<Device, double> full_noise_;  ///< where S is not double
  discrete::Algorithm algorithm_;
  discrete::Stepping stepping_;
  std::uint64_t seed_ = 0;
  std::optional<slow::MetricNumbers> metric_;  ///< v(0) stands on the device
  Memory<double> v0_;
  unsigned sources_ = discrete::kAnySource;
  DeviceRules<Device> rules_;
  DeviceWeights<Device> weights_;
  Memory<double> rates_;
  Memory<S> x_, spread_;
  Memory<std::uint8_t> lost_;
  long stride_ = 0, count_ = 0;
  std::uint32_t first_ = 0;
  std::vector<S> buffer_;
  // Of observations.
  int quantities_ = 0, stored_ = 0;  ///< of a path, and how many of them have a value of their own
  long group_ = 0;
  Polynomials polynomials_;
  Memory<double> coefficient_, values_, previous_;
  Memory<int> term_end_, power_end_, coordinate_, exponent_;
  Memory<Gone> gone_;
  Memory<stats::Moments> parts_, totals_;
};

template <class Device, class L>
class DeviceModelOf final : public DeviceModel {
 public:
  explicit DeviceModelOf(L loss) : loss_(std::move(loss)) {}
  std::unique_ptr<DeviceTile> discrete_tile(int ordinal, long paths, const Noise& noise, const discrete::Algorithm& a,
                                            Precision precision) const override {
    return tile(ordinal, paths, noise, a, precision);
  }
  std::unique_ptr<DeviceTile> slow_tile(int ordinal, long paths, const Noise& noise, std::uint64_t seed,
                                        Precision precision) const override {
    return slow_sde(ordinal, paths, noise, seed, precision);
  }
  std::unique_ptr<DeviceTile> metric_tile(int ordinal, long paths, const Noise& noise,
                                          const slow::MetricNumbers& metric, std::uint64_t seed,
                                          Precision precision) const override {
    return slow_sde(ordinal, paths, noise, MetricSde{metric, seed}, precision);
  }
  std::unique_ptr<PairedTile> paired_tile(int ordinal, long paths, const Noise& noise,
                                          const PairedSetup& setup) const override {
    if constexpr (kPathPerThread<L> && SquaredLoss<L>)
      if (PairedTileOf<Device, L>::runs(noise, setup))
        return unless_too_large(
            [&] { return std::make_unique<PairedTileOf<Device, L>>(ordinal, paths, loss_, noise, setup); });
    return nullptr;
  }

 private:
  template <class What>
  std::unique_ptr<DeviceTile> slow_sde(int ordinal, long paths, const Noise& noise, const What& what,
                                       Precision precision) const {
    if (!slow::has_kernels(loss_))
      throw DeviceUnusable("the slow SDE of this loss has no kernel for a GPU: expected residuals, or at most " +
                           std::to_string(slow::kHessianDimensions) + " dimensions");
    return tile(ordinal, paths, noise, what, ValueLoss<L> ? Precision::full : precision);
  }
  template <class What>
  std::unique_ptr<DeviceTile> tile(int ordinal, long paths, const Noise& noise, const What& what,
                                   Precision precision) const {
    return unless_too_large([&]() -> std::unique_ptr<DeviceTile> {
      if (precision == Precision::single)
        return std::make_unique<TileOf<Device, L, float>>(ordinal, paths, loss_, noise, what);
      return std::make_unique<TileOf<Device, L, double>>(ordinal, paths, loss_, noise, what);
    });
  }
  template <class Make>
  static auto unless_too_large(Make make) {
    try {
      return make();
    } catch (const std::bad_alloc&) {
      throw DeviceUnusable("the problem is too large for the device's memory: expected fewer dimensions or data");
    }
  }
  const L loss_;
};

}  // namespace sde::gpu
