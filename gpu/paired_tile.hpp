// A tile of a pairing on a device (`Device` as in tile.hpp): losses of one residual with a constant dimension, and
// noise with not more columns than that.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "paired_steps.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/manifold/time_flow.hpp"
#include "upload.hpp"

namespace sde::gpu {

template <class Device, class L>
class PairedTileOf final : public PairedTile {
  template <class T>
  using Memory = typename Device::template Memory<T>;
  using DeviceLoss = DeviceLossOf<Device, L>;
  static constexpr std::size_t D = dim_of<L>;

 public:
  /// Whether the kernel has code for this pairing.
  static bool runs(const Noise& noise, const PairedSetup& setup) {
    const auto& a = setup.algorithm;
    // A lone thread's arrays: the state, its next in the step of an algorithm of matrices, the loop's of d numbers
    // each.
    const std::size_t numbers = 2 * state_size(a) + 8 * (D + 2);
    return !a.increments.conventional && a.steady() && noise.columns() <= dim_of<L> && !a.type->in_metric() &&
           numbers * sizeof(double) <= Device::lone_limit;
  }

  PairedTileOf(int ordinal, long paths, const L& loss, const Noise& noise, const PairedSetup& setup)
      : device_(ordinal),
        setup_(setup),
        size_(state_size(setup.algorithm)),
        upload_(device_),
        loss_(on_device(loss, upload_)),
        noise_(device_, noise),
        start_(device_, D) {
    const auto& a = setup.algorithm;
    const auto weights = a.type->slow_variable(a, 0);
    slots_ = static_cast<int>(weights.size());
    if (slots_ > 0) copy_of(device_, weights, slot_weights_);
    auto predictions = setup.predictions;
    weights_.resize(predictions.size());
    for (std::size_t p = 0; p < predictions.size(); ++p)
      predictions[p].parameters.weights = weights_[p].here(device_, predictions[p].parameters.weights);
    copy_of(device_, predictions, predictions_);
    std::vector<SmoothFunction> functions = setup.functions;
    for (auto& g : functions) {
      g.u = upload_({g.u, g.u + g.nu});
      g.w = upload_({g.w, g.w + g.nw});
      if (g.centre) g.centre = upload_({g.centre, g.centre + std::max(g.nu, g.nw)});
    }
    copy_of(device_, functions, functions_);
    stride_ = halve_until_it_fits(paths, [&](long fitting) { reserve(static_cast<std::size_t>(fitting)); });
  }

  long capacity() const override { return stride_; }

  void start(std::uint32_t first, long count, const double* theta, std::int64_t burn_in) override {
    first_ = first;
    count_ = count;
    start_.write(theta, D);
    device_.launch(count_, StartPaired{paths(), start_.data(), static_cast<int>(D), static_cast<int>(size_)});
    const std::int64_t H = rounds(0, 0).H, chunk = std::max<std::int64_t>(1, kChunk / H) * H;
    const Paths<double> alone{x_.data(), spread_.data(), lost_.data(), stride_, first_};
    for (std::int64_t k = 0; k < burn_in; k += chunk)
      with_rule([&]<class Rule>(const Rule& rule) {
        // Of other rules the kernel that a tile of the algorithm alone has, too.
        constexpr unsigned kSources =
            std::is_same_v<Rule, discrete::AveragedSgd> ? discrete::kUnsampled : discrete::kAnySource;
        launch(DiscreteSteps<DeviceLoss, double, Rule, kSources>{loss_, noise_.view(), rule,
                                                                 discrete::Stepping(setup_.algorithm),
                                                                 rounds(k, std::min(burn_in, k + chunk)), alone});
      });
  }

  void begin(const double* on_gamma) override {
    if (on_gamma) start_.write(on_gamma, D);
    device_.launch(count_, BeginPaired{paths(), on_gamma ? start_.data() : nullptr, static_cast<int>(D)});
  }

  void advance(std::int64_t k, std::int64_t pairs) override {
    with_rule([&]<class Rule>(const Rule& rule) {
      launch(PairedSteps<DeviceLoss, Rule>{
          loss_, noise_.view(), rule,
          discrete::recording(discrete::Stepping(setup_.algorithm), innovations_on_gamma(noise_.view())),
          rounds(k, k + setup_.steps), pairs, PairedStepping(setup_, predictions_.data(), functions_.data()), paths()});
    });
    device_.wait();
  }

  void project() override {
    constexpr double tolerance = manifold::kObservationFlow.tolerance;
    device_.launch(count_, ProjectPaired<DeviceLoss>{loss_, tolerance, paths(), slow_variable().data()});
  }

  void read(PairedState& state) override {
    state.count = count_;
    const auto P = setup_.predictions.size(), Q = setup_.functions.size();
    read_rows(slow_variable(), D, state.x);
    read_rows(point_, D, state.point);
    read_rows(fine_, P * D, state.fine);
    read_rows(coarse_, P * D, state.coarse);
    read_rows(martingale_, P * Q, state.martingale);
    read_rows(lost_, 1, state.lost);
    read_rows(lost_by_, P, state.lost_by);
  }

 private:
  static constexpr std::int64_t kChunk = 1 << 15;  ///< steps of a launch of the burn-in
  /// As discrete::rounds_from() has them for steady rounds, which runs() asks for.
  discrete::Rounds rounds(std::int64_t from, std::int64_t to) const {
    const auto round = setup_.algorithm.round(0);
    return {from, to, round.workers, round.steps, round.synchronizes, setup_.algorithm.rate.eta, nullptr};
  }
  static std::size_t state_size(const discrete::Algorithm& a) {
    return discrete::Algorithms::with_rule(a, [&](const auto& rule) {
      return static_cast<std::size_t>(discrete::shape_of<double>(rule, dim_of<L>, a.workers).size());
    });
  }
  /// use(the algorithm's rule, with its arrays on the device).
  template <class Use>
  void with_rule(Use use) {
    discrete::Algorithms::with_rule(setup_.algorithm, [&]<class Rule>(const Rule& rule) {
      if constexpr (!std::is_same_v<Rule, discrete::AdaptiveSgd>) use(rules_.here(device_, rule, static_cast<int>(D)));
    });
  }
  /// Where the slow variable is, as of now: the position, or what is computed of it and the slots.
  Memory<double>& slow_variable() {
    if (slots_ == 0) return x_;
    device_.launch(count_, SlowVariable{paths(), slot_weights_.data(), slots_, static_cast<int>(D), slow_.data()});
    return slow_;
  }
  template <class Body>
  void launch(const Body& body) {
    if constexpr (Body::kSize != kDynamic)
      device_.launch(count_, body);
    else
      device_.launch_lone(count_, lone_bytes<DeviceLoss, double>(loss_, body), body);
  }
  void reserve(std::size_t n) {
    x_ = {}, slow_ = {}, point_ = {}, spread_ = {}, fine_ = {}, coarse_ = {}, martingale_ = {}, lost_ = {},
    lost_by_ = {};
    const auto P = setup_.predictions.size(), Q = setup_.functions.size();
    x_ = Memory<double>(device_, n * size_);
    if (slots_ > 0) slow_ = Memory<double>(device_, n * D);
    point_ = Memory<double>(device_, n * D);
    spread_ = Memory<double>(device_, n);
    fine_ = Memory<double>(device_, n * P * D);
    coarse_ = Memory<double>(device_, n * P * D);
    martingale_ = Memory<double>(device_, n * P * Q);
    lost_ = Memory<std::uint8_t>(device_, n);
    lost_by_ = Memory<std::uint8_t>(device_, n * P);
  }

  template <class T>
  void read_rows(const Memory<T>& from, std::size_t rows, std::vector<T>& to) const {
    const auto n = static_cast<std::size_t>(count_);
    to.resize(rows * n);
    for (std::size_t row = 0; row < rows; ++row)
      from.read(to.data() + row * n, n, row * static_cast<std::size_t>(stride_));
  }
  PairedPaths paths() {
    return {x_.data(),
            point_.data(),
            fine_.data(),
            coarse_.data(),
            martingale_.data(),
            lost_.data(),
            lost_by_.data(),
            stride_,
            first_,
            static_cast<int>(setup_.predictions.size()),
            static_cast<int>(setup_.functions.size())};
  }

  Device device_;
  const PairedSetup& setup_;
  const std::size_t size_;  ///< numbers of a path of the algorithm
  const Upload<Device> upload_;
  const DeviceLoss loss_;
  const DeviceNoise<Device, double> noise_;
  int slots_ = 0;  ///< that count in the slow variable
  Memory<double> slot_weights_, start_, x_, slow_, point_, spread_, fine_, coarse_, martingale_;
  Memory<std::uint8_t> lost_, lost_by_;
  Memory<PairedSlowSde> predictions_;
  Memory<SmoothFunction> functions_;
  DeviceRules<Device> rules_;
  std::vector<DeviceWeights<Device>> weights_;  ///< of each prediction
  long stride_ = 0, count_ = 0;
  std::uint32_t first_ = 0;
};

}  // namespace sde::gpu
