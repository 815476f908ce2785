// One stochastic gradient: the mean over a batch of b samples. For a squared loss all sources but additive noise act
// through weights on the residuals, g = J^T w: one vector-Jacobian product whatever the noise.
#pragma once

#include "sde/loss/derivatives.hpp"
#include "sde/loss/noise.hpp"
#include "sde/random/streams.hpp"

namespace sde::discrete {

/// How noise is drawn: as the algorithm does, or as the conventional SDE's Gaussian increments of the same covariance
/// (then `substeps` Euler-Maruyama steps make one step of the algorithm).
struct Drawing {
  int batch = 1;  ///< samples per gradient (B_loc)
  bool gaussian = false;
  int substeps = 1;
  bool two_point = false;  ///< the conventional SDE's increments are +-1 instead: its weak order is kept
  int fold = 1;  ///< each Gaussian draw is the normalized sum of `fold` draws of an algorithm with steps 1/fold as long
};

/// The order in which a worker visits the n samples in one epoch: Fisher-Yates from the stream (seed, path, worker).
std::vector<std::uint16_t> epoch_order(std::uint64_t seed, std::uint32_t path, std::uint32_t worker,
                                       std::uint64_t epoch, int n);

/// Coupled: the standard normals of the additive noise are summed up as they are drawn, and draws may be folded.
template <Loss L, class T, bool Coupled = false>
class StochasticGradient {
  static constexpr int W = lanes_of<T>;
  static constexpr int N = SquaredLoss<L> ? residuals_of<L> : 1;

 public:
  StochasticGradient(const L& loss, const Noise& noise, const Drawing& drawing)
      : loss_(loss), noise_(noise), drawing_(drawing), d_(loss.dim()), n_(count(loss)), w_(n_), f_(n_) {
    samples_ = !drawing.gaussian && n_ > 1 && noise.sampling != Sampling::full;
    const int n = n_;
    labels_per_step_ = noise.sigma2 > 0 ? (drawing.gaussian                    ? n
                                           : samples_                          ? drawing.batch
                                           : noise.label_law == Law::two_point ? drawing.batch * n
                                                                               : n)
                                        : 0;
    plain_ = labels_per_step_ == 0 && (n_ == 1 || noise.sampling == Sampling::full);
    A_.resize(static_cast<std::size_t>(noise.columns() * d_));
    if (noise.state_rank == 0 && noise.rank > 0) noise_columns<T>(noise, d_, nullptr, A_.data());
    if (samples_) counts_.resize(static_cast<std::size_t>(n_)), errors_.resize(static_cast<std::size_t>(n_));
    if constexpr (Coupled) {
      draws_.resize(static_cast<std::size_t>(std::max(n, noise.columns())));
      sums_.assign(static_cast<std::size_t>(noise.columns()), T(0.0));
    }
  }

  /// Sets the streams to the beginning of local step `step` of one worker.
  void seek(const random::StreamKey& key, std::uint64_t step) {
    key_ = key;
    step_ = step;
    if (labels_per_step_ > 0) {
      normals_.restart(key, step * labels_per_step_ * drawing_.fold);
      signs_.restart(key, step * labels_per_step_);
    }
    if (samples_) indices_.restart(key, step * drawing_.batch);
    if (drawing_.gaussian) {
      sample_normals_.restart(key, step * n_);
      sample_signs_.restart(key, step * n_);
    }
    if (noise_.columns() > 0) {
      additive_.restart(key, step * noise_.columns() * drawing_.fold);
      additive_signs_.restart(key, step * noise_.columns());
    }
    order_epoch_ = ~0ull;
  }

  /// g[d] = stochastic gradient at x[d]; moves on to the next step.
  void operator()(const T* x, T* g) {
    if constexpr (SquaredLoss<L>) {
      if constexpr (requires { loss_.gradient(x, g); }) {
        if (plain_)
          loss_.gradient(x, g);
        else
          weighted(x, g);
      } else {
        weighted(x, g);
      }
    } else {
      loss::gradient_automatic(loss_, x, g);
    }
    add_noise(x, g);
    ++step_;
  }

  /// Adds the recorded sums to total[columns] and clears them.
  void take_noise(T* total) {
    for (std::size_t s = 0; s < sums_.size(); ++s) {
      total[s] += sums_[s];
      sums_[s] = T(0.0);
    }
  }

 private:
  static int count(const L& loss) {
    if constexpr (SquaredLoss<L>)
      return loss.residual_count();
    else
      return 1;
  }

  void weighted(const T* x, T* g) {
    loss::residuals(loss_, x, f_.data());
    weights();
    loss::pullback(loss_, x, w_.data(), g);
  }

  /// w with J^T w = the gradient of the batch, but for additive noise.
  void weights() {
    const double sigma = std::sqrt(noise_.sigma2);
    const double b = drawing_.batch;
    if (drawing_.gaussian) {
      conventional_weights(sigma, std::sqrt(drawing_.substeps / b));
      return;
    }
    if (samples_) {
      sampled_weights(sigma);
      return;
    }
    for (int i = 0; i < n_; ++i) w_[i] = f_[i];
    if (labels_per_step_ > 0) {
      if (noise_.label_law == Law::two_point)
        for (int i = 0; i < n_; ++i) {
          T sum = signs_.next();
          for (int s = 1; s < drawing_.batch; ++s) sum += signs_.next();
          w_[i] += sum * T(sigma / b);
        }
      else {
        prepare(normals_, n_);
        for (int i = 0; i < n_; ++i) w_[i] += draw(normals_, i) * T(sigma / std::sqrt(b));
      }
    }
    if (n_ > 1)
      for (int i = 0; i < n_; ++i) w_[i] *= T(1.0 / n_);
  }

  /// Increments of covariance Sigma: label columns sigma grad f_i / sqrt(n), sampling columns (f_i grad f_i - grad
  /// L)/sqrt(n).
  void conventional_weights(double sigma, double scale) {
    const double root = std::sqrt(static_cast<double>(n_));
    const double label = sigma * scale * std::sqrt(noise_.label_scale(n_) / (noise_.sigma2 > 0 ? noise_.sigma2 : 1.0));
    T mean = T(0.0);
    const bool sampled = n_ > 1 && noise_.sampling != Sampling::full;
    for (int i = 0; i < n_; ++i) {
      T w = f_[i] * T(1.0 / n_);
      if (sampled) {
        const T xi = increment(sample_normals_, sample_signs_) * T(scale / root);
        w += f_[i] * xi;
        mean += xi;
      }
      if (labels_per_step_ > 0) w += increment(normals_, signs_) * T(label / root);
      w_[i] = w;
    }
    if (sampled)
      for (int i = 0; i < n_; ++i) w_[i] -= f_[i] * mean * T(1.0 / n_);
  }

  void sampled_weights(double sigma) {
    const double b = drawing_.batch;
    for (int i = 0; i < n_; ++i) counts_[i] = errors_[i] = T(0.0);
    for (int s = 0; s < drawing_.batch; ++s) {
      int picked[W];
      pick(s, picked);
      T error = T(0.0);
      if (labels_per_step_ > 0) error = noise_.label_law == Law::two_point ? signs_.next() : normals_.next();
      for (int l = 0; l < W; ++l) {
        set_lane(counts_[picked[l]], l, lane(counts_[picked[l]], l) + scalar_of<T>(1));
        set_lane(errors_[picked[l]], l, lane(errors_[picked[l]], l) + lane(error, l));
      }
    }
    for (int i = 0; i < n_; ++i) w_[i] = (counts_[i] * f_[i] + errors_[i] * T(sigma)) * T(1.0 / b);
  }

  void pick(int sample, int (&picked)[W]) {
    if (noise_.sampling == Sampling::with_replacement) {
      const auto index = indices_.next(static_cast<std::uint32_t>(n_));
      for (int l = 0; l < W; ++l) picked[l] = static_cast<int>(random::word_lane(index, l));
      return;
    }
    const std::uint64_t position =
        step_ * static_cast<std::uint64_t>(drawing_.batch) + static_cast<std::uint64_t>(sample);
    const std::uint64_t epoch = position / static_cast<std::uint64_t>(n_);
    if (epoch != order_epoch_) {
      for (int l = 0; l < W; ++l)
        orders_[l] = epoch_order(key_.seed, key_.path + static_cast<std::uint32_t>(l), key_.worker, epoch, n_);
      order_epoch_ = epoch;
    }
    for (int l = 0; l < W; ++l) picked[l] = orders_[l][position % static_cast<std::uint64_t>(n_)];
  }

  void add_noise(const T* x, T* g) {
    const int columns = noise_.columns();
    if (columns == 0) return;
    if (noise_.state_rank > 0) noise_columns(noise_, d_, x, A_.data());
    const T scale = T(std::sqrt((drawing_.gaussian ? drawing_.substeps : 1.0) / drawing_.batch));
    prepare(additive_, columns);
    for (int s = 0; s < columns; ++s) {
      const T unit = drawing_.two_point ? additive_signs_.next() : draw(additive_, s);
      if constexpr (Coupled) sums_[s] += unit;
      const T xi = scale * unit;
      for (int k = 0; k < d_; ++k) g[k] += xi * A_[s * d_ + k];
    }
  }

  /// An increment of the conventional SDE, of mean 0 and variance 1.
  T increment(random::NormalStream<T>& normals, random::SignStream<T>& signs) {
    return drawing_.two_point ? signs.next() : normals.next();
  }
  /// Component s of a step's standard normals; coupled, as prepare() folded the finer algorithm's draws in its order.
  T draw(random::NormalStream<T>& stream, int s) {
    if constexpr (Coupled)
      return draws_[static_cast<std::size_t>(s)];
    else
      return stream.next();
  }
  void prepare(random::NormalStream<T>& stream, int count) {
    if constexpr (Coupled) {
      for (int s = 0; s < count; ++s) draws_[s] = stream.next();
      if (drawing_.fold == 1) return;
      for (int f = 1; f < drawing_.fold; ++f)
        for (int s = 0; s < count; ++s) draws_[s] += stream.next();
      for (int s = 0; s < count; ++s) draws_[s] *= T(1.0 / std::sqrt(drawing_.fold));
    }
  }

  const L& loss_;
  const Noise& noise_;
  const Drawing drawing_;
  const Extent<dim_of<L>> d_;
  const Extent<N> n_;
  bool samples_ = false;
  bool plain_ = false;  ///< the gradient of the full loss, but for additive noise
  int labels_per_step_ = 0;
  random::StreamKey key_{};
  std::uint64_t step_ = 0, order_epoch_ = ~0ull;
  Buffer<T, N> w_, f_;
  std::vector<T> A_, counts_, errors_, draws_, sums_;
  std::vector<std::uint16_t> orders_[W];
  random::NormalStream<T> normals_{{}, random::Purpose::label, 0}, sample_normals_{{}, random::Purpose::sample, 0},
      additive_{{}, random::Purpose::noise, 0};
  random::SignStream<T> signs_{{}, random::Purpose::label, 0}, sample_signs_{{}, random::Purpose::sample, 0},
      additive_signs_{{}, random::Purpose::noise, 0};
  random::IndexStream<T> indices_{{}, random::Purpose::sample, 0};
};

}  // namespace sde::discrete
