// What a step draws for its batch: samples, and the errors of their labels, kept where the gradient is coupled.
#pragma once

#include "sde/discrete/label_errors.hpp"
#include "sde/discrete/sample_draws.hpp"

namespace sde::discrete {

/// kSamples: samples may be drawn; else the batch is always all N residuals.
template <class T, int N, class Team, unsigned kSources, bool kSamples, bool kCoupled, int kColumns>
class Batch {
  static constexpr int W = lanes_of<T>;

 public:
  SDE_DEVICE Batch(int n, const NoiseKind& noise, const Drawing& drawing, const Team& team)
      : samples_(n, noise.sampling, team), labels_(n, team), record_(drawing.recorded, n) {}

  SDE_DEVICE void use_batch(const NoiseKind& noise, const Drawing& drawing, int n) {
    drawn_ = kSamples && !Kernel<kSources>::conventional(drawing) && noise.samples(n);
    labels_.use_batch(noise, drawing, n, drawn_);
    record_.use_batch(drawing.batch);
  }
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step, const Drawing& drawing) {
    labels_.seek(key, step, drawing.coarsening);
    if constexpr (kSamples)
      if (drawn_) samples_.seek(key, step, drawing.batch);
  }
  SDE_DEVICE void end_step() {
    samples_.end_step();
    record_.end_step();
  }

  /// Whether the batch is drawn from the residuals, instead of being all of them.
  SDE_DEVICE bool drawn() const { return kSamples && drawn_; }
  SDE_DEVICE auto& labels() { return labels_; }
  SDE_DEVICE const auto& labels() const { return labels_; }
  SDE_DEVICE auto& record() { return record_; }

  /// picked[l]: sample number `sample` of the batch in lane l; samples in their order.
  SDE_DEVICE void pick(int sample, const Drawing& drawing, int (&picked)[W]) {
    samples_.pick(sample, drawing.batch, picked);
    record_.sample(picked);
  }
  /// The same in lanes as wide as T's.
  auto pick_index(int sample, const Drawing& drawing) {
    const auto index = samples_.pick_index(sample, drawing.batch);
    if constexpr (kCoupled) {
      int picked[W];
      for (int l = 0; l < W; ++l) picked[l] = static_cast<int>(random::word_lane(index, l));
      record_.sample(picked);
    }
    return index;
  }
  /// The error of the label of the sample picked last, 0 where labels have none.
  SDE_DEVICE T error(const NoiseKind& noise) { return labels_.of_sample(noise, record_); }
  /// The mean error of label i where the batch is all residuals; labels in their order.
  SDE_DEVICE T mean_error(int i, const NoiseKind& noise, const Drawing& drawing) {
    return labels_.mean(i, noise, drawing, record_);
  }

 private:
  bool drawn_ = false;
  std::conditional_t<kSamples, SampleDraws<T, N, Team>, NoSamples> samples_;
  LabelErrors<T, Team, kSources, kCoupled, kColumns> labels_;
  [[no_unique_address]] RecordedDraws<T, kCoupled, kColumns> record_;
};

}  // namespace sde::discrete
