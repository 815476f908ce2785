#include "group.hpp"

namespace sde::bench {

namespace {

/// `advance(x, path)` takes kLanes paths to their ends.
template <class Advance>
class CpuGroup final : public Group {
 public:
  /// `size`: numbers of a path's state, its position first.
  CpuGroup(const ensemble::Problem& problem, int size, Advance advance)
      : start_(problem.start_on_gamma), size_(size), advance_(std::move(advance)) {}
  long paths() const override { return kLanes; }
  void run(std::uint32_t first, const Observable& observable, stats::Moments* ends) override {
    state_.assign(static_cast<std::size_t>(size_ * kLanes), 0.0);
    for (Eigen::Index k = 0; k < start_.size(); ++k)
      for (int l = 0; l < kLanes; ++l) state_[static_cast<std::size_t>(k * kLanes + l)] = start_[k];
    advance_(state_.data(), first);
    if (!ends) return;
    std::vector<double> x(static_cast<std::size_t>(start_.size()));
    for (std::size_t l = 0; l < kLanes; ++l) {
      for (std::size_t k = 0; k < x.size(); ++k) x[k] = state_[k * kLanes + l];
      ends->add(observable.of(x.data()));
    }
  }

 private:
  const slow::Vector& start_;
  const int size_;
  Advance advance_;
  std::vector<double> state_;
};

/// `advance(tile)` takes the tile's paths to their ends.
template <class Advance>
class DeviceGroup final : public Group {
 public:
  DeviceGroup(const ensemble::Problem& problem, std::unique_ptr<DeviceTile> tile, Advance advance)
      : start_(problem.start_on_gamma), tile_(std::move(tile)), advance_(std::move(advance)) {}
  long paths() const override { return tile_->capacity(); }
  void run(std::uint32_t first, const Observable& observable, stats::Moments* ends) override {
    tile_->start(first, paths(), start_.data());
    advance_(*tile_);
    if (!ends) {
      tile_->wait();
      return;
    }
    TileState state;
    tile_->read(state);
    const auto count = static_cast<std::size_t>(paths());
    std::vector<double> x(static_cast<std::size_t>(start_.size()));
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < x.size(); ++k) x[k] = state.x[k * count + i];
      ends->add(observable.of(x.data()));
    }
  }

 private:
  const slow::Vector& start_;
  const std::unique_ptr<DeviceTile> tile_;
  Advance advance_;
};

/// Several times what a device has in work at once, so that its end, when not all multiprocessors have work, does not
/// count: of slow SDEs of large dimension a team takes a path.
long slow_paths(const ensemble::Problem& p) { return p.model->dim() <= 16 ? 1 << 20 : 1 << 14; }
long discrete_paths(const ensemble::Problem& p) { return p.model->dim() <= 16 ? 1 << 20 : 1 << 19; }

template <template <class> class GroupOf, class... Arguments, class Advance>
std::unique_ptr<Group> group(Advance advance, Arguments&&... arguments) {
  return std::make_unique<GroupOf<Advance>>(std::forward<Arguments>(arguments)..., std::move(advance));
}

std::unique_ptr<Group> of_steps(const ensemble::Problem& p, const slow::Steps& steps,
                                std::unique_ptr<DeviceTile> tile) {
  return group<DeviceGroup>([steps](DeviceTile& t) { t.advance(steps); }, p, std::move(tile));
}
std::unique_ptr<Group> of_steps(const ensemble::Problem& p, const slow::Steps& steps, std::uint64_t seed, int size,
                                std::shared_ptr<SlowKernel> kernel) {
  return group<CpuGroup>([=](double* x, std::uint32_t path) { kernel->advance(x, {seed, path, 0}, steps); }, p, size);
}

}  // namespace

std::unique_ptr<Group> slow_group(const ensemble::Problem& p, const slow::Steps& steps, std::uint64_t seed,
                                  Precision precision, int device) {
  if (device >= 0)
    return of_steps(p, steps, p.model->device()->slow_tile(device, slow_paths(p), p.noise, seed, precision));
  return of_steps(p, steps, seed, p.model->dim(), p.model->residual_slow_kernel(p.noise, precision));
}
std::unique_ptr<Group> metric_group(const ensemble::Problem& p, const slow::MovingMetric& metric,
                                    const slow::Steps& steps, std::uint64_t seed, Precision precision, int device) {
  if (device >= 0)
    return of_steps(p, steps,
                    p.model->device()->metric_tile(device, slow_paths(p), p.noise, metric.numbers(), seed, precision));
  return of_steps(p, steps, seed, 2 * p.model->dim(), p.model->metric_slow_kernel(p.noise, metric, precision));
}

std::unique_ptr<Group> discrete_group(const ensemble::Problem& p, const discrete::Algorithm& a, std::int64_t steps,
                                      Precision precision, int device) {
  if (device >= 0) {
    const auto march = [a, steps](DeviceTile& tile) {
      std::vector<double> rates;
      discrete::for_each_rounds(a, 0, steps, steps, rates,
                                [&](const discrete::Rounds& rounds) { tile.advance(rounds); });
    };
    return group<DeviceGroup>(march, p,
                              p.model->device()->discrete_tile(device, discrete_paths(p), p.noise, a, precision));
  }
  const std::shared_ptr<DiscreteKernel> kernel = p.model->discrete_kernel(p.noise, a, precision);
  return group<CpuGroup>(
      [kernel, steps](double* x, std::uint32_t path) {
        double spread[kLanes];
        kernel->advance(x, path, 0, steps, spread);
      },
      p, kernel->shape().size());
}

}  // namespace sde::bench
