// Which of n samples a batch takes: with replacement, or in epochs that visit each once.
#pragma once

#include "sde/discrete/drawing.hpp"
#include "sde/random/streams.hpp"

namespace sde::discrete {

/// order[n]: the order in which a worker visits the n samples in one epoch, Fisher-Yates from the stream (seed, path,
/// worker).
SDE_DEVICE inline void epoch_order(const random::StreamKey& key, std::uint64_t epoch, int n, std::uint16_t* order) {
  random::IndexStream<double> words(key, random::Purpose::shuffle, epoch * static_cast<std::uint64_t>(n));
  for (int i = 0; i < n; ++i) order[i] = static_cast<std::uint16_t>(i);
  for (int i = n - 1; i > 0; --i) {
    const auto j = words.next(static_cast<std::uint32_t>(i + 1));
    const std::uint16_t moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}

/// Draws the numbers of a batch's samples, from 0 to n - 1, for each lane.
template <class T, int N, class Team>
class SampleDraws {
  static constexpr int W = lanes_of<T>;

 public:
  /// From n samples, with replacement or without; with Sampling::full nothing may be asked for.
  SDE_DEVICE SampleDraws(int n, Sampling sampling, const Team& team)
      : n_(n), sampling_(sampling), team_(team), order_(sampling == Sampling::without_replacement ? n * W : 0, team) {}

  /// Sets the streams to the beginning of local step `step`.
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step, int batch) {
    key_ = key;
    step_ = step;
    indices_.restart(key, step * batch);
    order_epoch_ = ~0ull;
  }
  SDE_DEVICE void end_step() { ++step_; }

  /// picked[l]: sample number `sample` of the batch in lane l; samples in their order.
  SDE_DEVICE void pick(int sample, int batch, int (&picked)[W]) {
    if (sampling_ == Sampling::with_replacement) {
      const auto index = indices_.next(static_cast<std::uint32_t>(n_));
      for (int l = 0; l < W; ++l) picked[l] = static_cast<int>(random::word_lane(index, l));
      return;
    }
    const std::uint64_t position = step_ * static_cast<std::uint64_t>(batch) + static_cast<std::uint64_t>(sample);
    const std::uint64_t epoch = position / static_cast<std::uint64_t>(n_);
    if (epoch != order_epoch_) {
      team_.once([&] {
        for (int l = 0; l < W; ++l)
          epoch_order({key_.seed, key_.path + static_cast<std::uint32_t>(l), key_.worker}, epoch, n_, &order_[l * n_]);
      });
      order_epoch_ = epoch;
    }
    for (int l = 0; l < W; ++l)
      picked[l] = order_[l * n_ + static_cast<int>(position % static_cast<std::uint64_t>(n_))];
  }
  /// The same in lanes as wide as T's.
  auto pick_index(int sample, int batch) {
    using Index = Pack<typename std::conditional_t<sizeof(scalar_of<T>) == 8, std::uint64_t, std::uint32_t>, W>;
    if (sampling_ == Sampling::with_replacement) {
      const auto index = indices_.next(static_cast<std::uint32_t>(n_));
      if constexpr (sizeof(scalar_of<T>) == 8)
        return index;
      else
        return convert<std::uint32_t>(index);
    }
    int picked[W];
    pick(sample, batch, picked);
    Index index(0);
    for (int l = 0; l < W; ++l) index.set(l, static_cast<unsigned>(picked[l]));
    return index;
  }

 private:
  const Extent<N> n_;
  const Sampling sampling_;
  const Team team_;
  random::StreamKey key_{};
  std::uint64_t step_ = 0, order_epoch_ = ~0ull;
  Buffer<std::uint16_t, N == kDynamic ? kDynamic : N * W, Team> order_;  ///< W lanes of n
  random::IndexStream<T> indices_{{}, random::Purpose::sample, 0};
};

/// A loss with nothing to sample from.
struct NoSamples {
  template <class... Arguments>
  SDE_DEVICE explicit NoSamples(const Arguments&...) {}
  SDE_DEVICE void end_step() {}
};

}  // namespace sde::discrete
