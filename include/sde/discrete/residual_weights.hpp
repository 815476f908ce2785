// The weights w on the residuals with J^T w = the gradient of a step, but for additive noise.
#pragma once

#include "sde/discrete/batch.hpp"

namespace sde::discrete {

/// Computes w[n] for each lane: residuals, times how often each was drawn, with the errors of its label.
template <class T, int N, class Team, unsigned kSources, bool kSamples>
class ResidualWeights {
  static constexpr int W = lanes_of<T>;
  using Kernel = discrete::Kernel<kSources>;

 public:
  SDE_DEVICE ResidualWeights(int n, const Team& team)
      : n_(n),
        team_(team),
        w_(n_, team),
        f_(n_, team),
        counts_(kSamples ? int(n_) : 0, team),
        errors_(kSamples ? int(n_) : 0, team),
        sample_normals_({}, random::Purpose::sample, 0, team) {}

  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step, const Drawing& drawing) {
    if (!Kernel::conventional(drawing)) return;
    sample_normals_.restart(key, step * n_);
    sample_signs_.restart(key, step * n_);
  }

  /// Where the residuals are to be written before compute().
  SDE_DEVICE T* residuals() { return f_.data(); }
  /// w[n], of the residuals.
  template <class Batch>
  SDE_DEVICE const T* compute(const NoiseKind& noise, const Drawing& drawing, Batch& batch) {
    if (Kernel::conventional(drawing)) {
      of_increments(noise, drawing, batch);
      return w_.data();
    }
    if constexpr (kSamples) {
      if (batch.drawn()) {
        of_samples(noise, drawing, batch);
        return w_.data();
      }
    }
    of_all(noise, drawing, batch);
    return w_.data();
  }

 private:
  /// w_i = (f_i + mean error of label i)/n
  template <class Batch>
  SDE_DEVICE void of_all(const NoiseKind& noise, const Drawing& drawing, Batch& batch) {
    team_.sync();
    if (batch.labels().any()) {
      batch.labels().prepare(noise, drawing, n_);
      for (int i = 0; i < n_; ++i) {
        const T error = batch.mean_error(i, noise, drawing);
        team_.mine(i, [&] { w_[i] = f_[i] + error; });
      }
    } else {
      team_.strided(n_, [&](int i) { w_[i] = f_[i]; });
    }
    if (n_ > 1) team_.strided(n_, [&](int i) { w_[i] *= T(1.0 / n_); });
    team_.sync();
  }

  /// w_i = (times that i is drawn f_i + sum of the errors drawn for i)/b
  template <class Batch>
  SDE_DEVICE void of_samples(const NoiseKind& noise, const Drawing& drawing, Batch& batch) {
    team_.each(n_, [&](int i) { counts_[i] = errors_[i] = T(0.0); });
    for (int s = 0; s < drawing.batch; ++s) {
      int picked[W];
      batch.pick(s, drawing, picked);
      T error = T(0.0);
      if (batch.labels().any()) error = batch.labels().unit_of_sample(noise, batch.record());
      team_.once([&] {
        for (int l = 0; l < W; ++l) {
          set_lane(counts_[picked[l]], l, lane(counts_[picked[l]], l) + scalar_of<T>(1));
          set_lane(errors_[picked[l]], l, lane(errors_[picked[l]], l) + lane(error, l));
        }
      });
    }
    const T sigma = batch.labels().sigma(), inverse = T(1.0 / drawing.batch);
    team_.each(n_, [&](int i) { w_[i] = (counts_[i] * f_[i] + errors_[i] * sigma) * inverse; });
  }

  /// f_i/n and the conventional SDE's increments of covariance Sigma: label columns sigma grad f_i / sqrt(n), sampling
  /// columns (f_i grad f_i - grad L)/sqrt(n).
  template <class Batch>
  SDE_DEVICE void of_increments(const NoiseKind& noise, const Drawing& drawing, Batch& batch) {
    const double scale = std::sqrt(drawing.substeps / static_cast<double>(drawing.batch));
    const double root = std::sqrt(static_cast<double>(n_));
    const double label = scale * std::sqrt(noise.label_scale(n_));
    const bool two_point = Kernel::two_point_increments(drawing);
    T mean = T(0.0);
    const bool sampled = noise.samples(n_);
    for (int i = 0; i < n_; ++i) {
      T w = f_[i] * T(1.0 / n_);
      if (sampled) {
        const T xi = increment(two_point, sample_normals_, sample_signs_) * T(scale / root);
        w += f_[i] * xi;
        mean += xi;
      }
      if (batch.labels().any()) w += batch.labels().increment(two_point) * T(label / root);
      team_.mine(i, [&] { w_[i] = w; });
    }
    if (sampled) team_.strided(n_, [&](int i) { w_[i] -= f_[i] * mean * T(1.0 / n_); });
    team_.sync();
  }

  const Extent<N> n_;
  const Team team_;
  Buffer<T, N, Team> w_, f_, counts_, errors_;
  random::TeamNormals<T, Team> sample_normals_;
  random::SignStream<T> sample_signs_{{}, random::Purpose::sample, 0};
};

}  // namespace sde::discrete
