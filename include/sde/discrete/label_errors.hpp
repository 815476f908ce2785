// The errors of labels: in a sum over all labels the mean over the batch of each one's, or one for each sample drawn.
#pragma once

#include "sde/discrete/recorded_draws.hpp"
#include "sde/discrete/unit_draws.hpp"

namespace sde::discrete {

/// Draws the labels' errors of a step.
template <class T, class Team, unsigned kSources, bool kCoupled, int kColumns>
class LabelErrors {
  using Kernel = discrete::Kernel<kSources>;
  using Record = RecordedDraws<T, kCoupled, kColumns>;

 public:
  /// For n labels.
  SDE_DEVICE LabelErrors(int n, const Team& team) : normals_(random::Purpose::label, n, team) {}

  /// `samples`: the batch is drawn, instead of being all n residuals.
  SDE_DEVICE void use_batch(const NoiseKind& noise, const Drawing& drawing, int n, bool samples) {
    per_step_ = 0;
    if (Kernel::uses(kGaussianLabels | kTwoPointLabels) && noise.sigma2 > 0)
      per_step_ = samples                                                             ? drawing.batch
                  : !Kernel::conventional(drawing) && Kernel::two_point_labels(noise) ? drawing.batch * n
                                                                                      : n;
    const double b = drawing.batch, sigma = std::sqrt(noise.sigma2);
    sigma_ = T(sigma);
    sign_scale_ = T(sigma / b);
    normal_scale_ = T(sigma / std::sqrt(b));
    if constexpr (kCoupled) sign_unit_ = T(1 / std::sqrt(b));
  }
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step, int coarsening) {
    if (!any()) return;
    if (Kernel::uses(kGaussianLabels | kGaussianIncrements)) normals_.restart(key, step * per_step_ * coarsening);
    if (Kernel::uses(kTwoPointLabels | kTwoPointIncrements)) signs_.restart(key, step * per_step_);
  }
  SDE_DEVICE bool any() const { return Kernel::uses(kGaussianLabels | kTwoPointLabels) && per_step_ > 0; }
  SDE_DEVICE bool none() const { return per_step_ == 0; }

  /// Before the mean errors of a step's n labels.
  SDE_DEVICE void prepare(const NoiseKind& noise, const Drawing& drawing, int n) {
    if (!Kernel::two_point_labels(noise)) normals_.prepare(n, drawing.coarsening);
  }
  /// The mean of the batch's errors of label i, each of which is drawn in every sample; labels in their order.
  SDE_DEVICE T mean(int i, const NoiseKind& noise, const Drawing& drawing, Record& record) {
    if (!Kernel::two_point_labels(noise)) {
      const T unit = normals_.draw(i);
      record.label(i, unit);
      return unit * normal_scale_;
    }
    T sum = signs_.next();
    for (int s = 1; s < drawing.batch; ++s) sum += signs_.next();
    if constexpr (kCoupled) record.label(i, sum * sign_unit_);
    return sum * sign_scale_;
  }
  /// The error of the label of a drawn sample, in units of sigma.
  SDE_DEVICE T unit_of_sample(const NoiseKind& noise, Record& record) {
    const T unit = Kernel::two_point_labels(noise) ? signs_.next() : normals_.next();
    record.error_of_sample(unit);
    return unit;
  }
  /// The error itself; 0 where labels have none.
  SDE_DEVICE T of_sample(const NoiseKind& noise, Record& record) {
    if (!any()) return T(0.0);
    return unit_of_sample(noise, record) * sigma_;
  }
  /// Of the conventional SDE.
  SDE_DEVICE T increment(bool two_point) { return discrete::increment(two_point, normals_, signs_); }
  SDE_DEVICE const T& sigma() const { return sigma_; }

 private:
  int per_step_ = 0;
  T sigma_{}, sign_scale_{}, normal_scale_{};
  struct Nothing {};
  [[no_unique_address]] std::conditional_t<kCoupled, T, Nothing> sign_unit_{};
  StepNormals<T, Team, kCoupled, kColumns> normals_;
  random::SignStream<T> signs_{{}, random::Purpose::label, 0};
};

}  // namespace sde::discrete
