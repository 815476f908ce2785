// What a coupled gradient keeps of its draws: their sums, as columns of variance 1 (loss/innovations.hpp), by a thread
// of its own.
#pragma once

#include "sde/discrete/drawing.hpp"

namespace sde::discrete {

/// kColumns: any number of columns (kDynamic), or as many as a thread keeps in registers, which then hold those of
/// additive noise alone.
template <class T, bool kCoupled, int kColumns>
class RecordedDraws {
  static constexpr int W = lanes_of<T>;
  static constexpr bool kAll = kColumns == kDynamic;

 public:
  /// Room for Drawing::recorded of a loss of n residuals.
  SDE_DEVICE RecordedDraws(const Innovations& asked, int n) : asked_(asked), n_(n), sums_(asked.count()) {
    for_indices<kColumns>(asked_.count(), [&](int s) { sums_[s] = T(0.0); });
  }
  SDE_DEVICE void use_batch(int batch) {
    if constexpr (kAll) {
      per_draw_ = Innovations::per_draw(n_, batch);
      expected_ = Innovations::expected(n_, batch);
    }
  }

  /// Column s of additive noise: constant, then state-dependent.
  SDE_DEVICE void additive(int s, const T& unit) {
    at_index<kColumns>(kAll ? asked_.constant.first + s : s, [&](int c) { sums_[c] += unit; });
  }
  /// The mean error of label i in a batch of all labels, of variance 1.
  SDE_DEVICE void label(int i, const T& unit) {
    if (kAll && asked_.labels.count > 0) sums_[asked_.labels.first + i] += unit;
  }
  /// Lane l has drawn sample picked[l].
  SDE_DEVICE void sample(const int (&picked)[W]) {
    if (!kAll || asked_.sampling.count + asked_.labels.count == 0) return;
    for (int l = 0; l < W; ++l) {
      picked_[l] = picked[l];
      if (asked_.sampling.count > 0) add_to_lane(asked_.sampling.first + picked[l], l, per_draw_);
    }
  }
  /// The error of the label of the sample drawn last, of variance 1.
  SDE_DEVICE void error_of_sample(const T& unit) {
    if (!kAll || asked_.labels.count == 0) return;
    for (int l = 0; l < W; ++l) add_to_lane(asked_.labels.first + picked_[l], l, lane(unit, l) * per_draw_);
  }
  /// After every gradient.
  SDE_DEVICE void end_step() {
    if constexpr (kAll)
      for (int i = 0; i < asked_.sampling.count; ++i) sums_[asked_.sampling.first + i] -= T(expected_);
  }

  /// Adds the sums to total[columns] and clears them.
  SDE_DEVICE void take(T* total) {
    for_indices<kColumns>(asked_.count(), [&](int s) {
      total[s] += sums_[s];
      sums_[s] = T(0.0);
    });
  }

 private:
  SDE_DEVICE void add_to_lane(int column, int l, double value) {
    set_lane(sums_[column], l, lane(sums_[column], l) + static_cast<scalar_of<T>>(value));
  }
  const Innovations asked_;
  const int n_;
  double per_draw_ = 1, expected_ = 0;
  int picked_[W] = {};
  Buffer<T, kColumns> sums_;
};

/// Nothing is kept.
template <class T, int kColumns>
class RecordedDraws<T, false, kColumns> {
 public:
  SDE_DEVICE RecordedDraws(const Innovations&, int) {}
  SDE_DEVICE void use_batch(int) {}
  SDE_DEVICE void additive(int, const T&) {}
  SDE_DEVICE void label(int, const T&) {}
  SDE_DEVICE void sample(const int (&)[lanes_of<T>]) {}
  SDE_DEVICE void error_of_sample(const T&) {}
  SDE_DEVICE void end_step() {}
};

}  // namespace sde::discrete
