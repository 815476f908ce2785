// One stochastic gradient: the mean over a batch of b samples. For a squared loss all sources but additive noise act
// through weights on the residuals, g = J^T w: one vector-Jacobian product whatever the noise. A few drawn residuals of
// many are instead asked for one by one, where the loss has them.
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

/// What a gradient may draw. A kernel for some of it has no code and no registers for the rest. One for increments of
/// one kind is of the conventional SDE alone, and its labels' errors are such increments.
enum Source : unsigned {
  kGaussianLabels = 1,
  kTwoPointLabels = 2,
  kSampling = 4,
  kAdditive = 8,
  kGaussianIncrements = 16,  ///< of the conventional SDE
  kTwoPointIncrements = 32,
  kConventional = kGaussianIncrements | kTwoPointIncrements,
  kAnySource = 63,
  // of losses with nothing to sample: one residual, or not squared
  kUnsampled = kGaussianLabels | kTwoPointLabels | kAdditive,
  kUnsampledGaussian = kGaussianLabels | kAdditive | kGaussianIncrements,
  kUnsampledTwoPoint = kTwoPointLabels | kAdditive | kTwoPointIncrements
};
/// The sources that occur.
inline unsigned sources_of(const NoiseKind& noise, const Drawing& drawing, int n) {
  unsigned used = 0;
  const bool signs = drawing.gaussian ? drawing.two_point : noise.label_law == Law::two_point;
  if (noise.sigma2 > 0) used |= signs ? kTwoPointLabels : kGaussianLabels;
  if (n > 1 && noise.sampling != Sampling::full) used |= kSampling;
  if (noise.columns() > 0) used |= kAdditive;
  if (drawing.gaussian) used |= drawing.two_point ? kTwoPointIncrements : kGaussianIncrements;
  return used;
}

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

/// Coupled: the standard normals of the additive noise are summed up as they are drawn, and draws may be folded; by a
/// thread of its own (Solo).
/// kSources: what may occur (Source). A team shares the arrays and the work; its members draw the same numbers.
template <Loss L, class T, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
class StochasticGradient {
  static constexpr int W = lanes_of<T>;
  static constexpr int N = SquaredLoss<L> ? residuals_of<L> : 1;
  static_assert(kSources == kAnySource || (kSources & kConventional) != kConventional,
                "a kernel for both kinds of increments: expected kAnySource, which chooses as it runs");
  static constexpr bool kMaySample = N != 1 && (kSources & kSampling);
  static constexpr bool kMayDraw = kMaySample && DrawnLoss<L>;
  /// Whether a team asks for a drawn residual's gradient entry by entry.
  static constexpr bool kEntries = loss::detail::kShared<Team>;
  /// A drawn residual with its gradient costs as much as this many of all n: each lane gathers its own data.
  static constexpr int kCostOfDrawn = 3;
  /// Columns of a coupled gradient's noise: any number on the CPU, on a GPU as many as a thread keeps in registers.
  static constexpr int kColumns = W == 1 && dim_of<L> > 0 && N == 1 ? dim_of<L> : kDynamic;
  using Normals = random::TeamNormals<T, Team>;
  using Signs = random::SignStream<T>;

 public:
  SDE_DEVICE StochasticGradient(const L& loss, const NoiseView<scalar_of<T>>& noise, const Drawing& drawing,
                                const Team& team = {})
      : loss_(loss),
        noise_(noise),
        drawing_(drawing),
        team_(team),
        d_(loss.dim()),
        n_(sample_count(loss)),
        w_(n_, team),
        f_(n_, team),
        counts_(kMaySample ? int(n_) : 0, team),
        errors_(kMaySample ? int(n_) : 0, team),
        inputs_(input_size(loss), team),
        slope_(kMayDraw && !kEntries ? int(d_) : 0, team),
        table_(table_size(loss, noise), team),
        order_(kMaySample && noise.sampling == Sampling::without_replacement ? n_ * W : 0, team),
        normals_({}, random::Purpose::label, 0, team),
        sample_normals_({}, random::Purpose::sample, 0, team),
        additive_({}, random::Purpose::noise, 0, team),
        draws_(std::max<int>(n_, noise.columns())),
        sums_(noise.columns()) {
    use_batch(drawing.batch);
    if constexpr (kMayLookUp)
      if (table_size(loss, noise) > 0) loss::fill_lookup<T>(loss, table_.data());
    if constexpr (Coupled) for_indices<kColumns>(noise.columns(), [&](int s) { sums_[s] = T(0.0); });
  }

  /// The gradients from here on are means over `batch` samples.
  SDE_DEVICE void use_batch(int batch) {
    drawing_.batch = batch;
    samples_ = kMaySample && !conventional() && n_ > 1 && noise_.sampling != Sampling::full;
    if constexpr (kMayDraw) draws_alone_ = samples_ && batch <= n_ / kCostOfDrawn;
    labels_per_step_ = 0;
    if (uses(kGaussianLabels | kTwoPointLabels) && noise_.sigma2 > 0)
      labels_per_step_ = samples_ ? batch : !conventional() && two_point_labels() ? batch * n_ : int(n_);
    plain_ = labels_per_step_ == 0 && (n_ == 1 || noise_.sampling == Sampling::full);
    const double b = batch, sigma = std::sqrt(noise_.sigma2);
    sign_scale_ = T(sigma / b);
    normal_scale_ = T(sigma / std::sqrt(b));
    additive_scale_ = T(std::sqrt((conventional() ? drawing_.substeps : 1.0) / b));
  }

  /// Sets the streams to the beginning of local step `step` of one worker.
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step) {
    key_ = key;
    step_ = step;
    if (labels()) {
      if (uses(kGaussianLabels | kGaussianIncrements)) normals_.restart(key, step * labels_per_step_ * drawing_.fold);
      if (uses(kTwoPointLabels | kTwoPointIncrements)) signs_.restart(key, step * labels_per_step_);
    }
    if (kMaySample && samples_) indices_.restart(key, step * drawing_.batch);
    if (conventional()) {
      sample_normals_.restart(key, step * n_);
      sample_signs_.restart(key, step * n_);
    }
    if (uses(kAdditive) && noise_.columns() > 0) {
      additive_.restart(key, step * noise_.columns() * drawing_.fold);
      if (uses(kTwoPointIncrements)) additive_signs_.restart(key, step * noise_.columns());
    }
    order_epoch_ = ~0ull;
  }

  /// g[d] = stochastic gradient at x[d]; moves on to the next step.
  SDE_DEVICE void operator()(const T* x, T* g) {
    if constexpr (SquaredLoss<L>) {
      if constexpr (requires { loss_.gradient(x, g); }) {
        if (plain_)
          team_.once([&] { loss_.gradient(x, g); });
        else
          weighted(x, g);
      } else {
        weighted(x, g);
      }
    } else {
      loss::gradient_automatic(loss_, x, g, team_);
    }
    if (uses(kAdditive)) add_noise(x, g);
    ++step_;
  }

  /// y[d] -= eta times the stochastic gradient at y, by way of g[d] where it is needed; moves on to the next step.
  SDE_DEVICE void descend(T* y, T* g, T eta) {
    if constexpr (kMayDraw) {
      if (draws_alone_ && drawing_.batch == 1 && noise_.columns() == 0) {
        descend_by_one(y, g, eta);
        ++step_;
        return;
      }
    }
    (*this)(y, g);
    team_.each(d_, [&](int k) { y[k] -= eta * g[k]; });
  }

  /// Adds the recorded sums to total[columns] and clears them.
  SDE_DEVICE void take_noise(T* total) {
    for_indices<kColumns>(noise_.columns(), [&](int s) {
      total[s] += sums_[s];
      sums_[s] = T(0.0);
    });
  }

 private:
  SDE_DEVICE static constexpr bool uses(unsigned sources) { return (kSources & sources) != 0; }
  SDE_DEVICE bool labels() const { return uses(kGaussianLabels | kTwoPointLabels) && labels_per_step_ > 0; }
  SDE_DEVICE bool two_point_labels() const {
    return !uses(kGaussianLabels) || (uses(kTwoPointLabels) && noise_.label_law == Law::two_point);
  }
  SDE_DEVICE bool conventional() const { return uses(kConventional) && (kSources != kAnySource || drawing_.gaussian); }
  SDE_DEVICE bool two_point_increments() const {
    return !uses(kGaussianIncrements) || (uses(kTwoPointIncrements) && drawing_.two_point);
  }

  /// Lanes gather their inputs; a single path reads its own where they stand.
  SDE_DEVICE static int input_size(const L& loss) {
    if constexpr (kMayDraw && W > 1)
      return loss.input_size();
    else
      return 0;
  }

  /// Whether lanes look their inputs up in registers.
  static constexpr bool kMayLookUp = kMayDraw && W > 1 && (kLookupSize<scalar_of<T>> > 0);
  static bool looks_up(const L& loss) { return sample_count(loss) <= kLookupSize<scalar_of<T>>; }
  SDE_DEVICE static int table_size(const L& loss, const NoiseKind& noise) {
    if constexpr (kMayLookUp)
      return looks_up(loss) && noise.sampling != Sampling::full ? (loss.input_size() + 1) * kLookupSize<scalar_of<T>>
                                                                : 0;
    else
      return 0;
  }

  SDE_DEVICE void weighted(const T* x, T* g) {
    if constexpr (kMayDraw) {
      if (draws_alone_) {
        drawn(x, g);
        return;
      }
    }
    if constexpr (N == 1 && kAlone<Team> && requires { loss_.gradient(x, g), loss_.noisy_gradient(x, *x, g); }) {
      if (!conventional()) {  // the one label has an error: without, gradient() was called
        prepare_labels();
        loss_.noisy_gradient(x, mean_error(0), g);
        return;
      }
    }
    loss::residuals(loss_, x, f_.data(), team_);
    weights();
    loss::pullback(loss_, x, w_.data(), g, team_);
  }

  /// w with J^T w = the gradient of the batch, but for additive noise.
  SDE_DEVICE void weights() {
    if (conventional()) {
      conventional_weights();
      return;
    }
    if (kMaySample && samples_) {
      sampled_weights();
      return;
    }
    team_.sync();
    if (labels()) {
      prepare_labels();
      for (int i = 0; i < n_; ++i) {
        const T error = mean_error(i);
        team_.mine(i, [&] { w_[i] = f_[i] + error; });
      }
    } else {
      team_.strided(n_, [&](int i) { w_[i] = f_[i]; });
    }
    if (n_ > 1) team_.strided(n_, [&](int i) { w_[i] *= T(1.0 / n_); });
    team_.sync();
  }

  /// The mean of the batch's errors of label i, each of which is drawn in every sample; labels in their order, after
  /// prepare_labels().
  SDE_DEVICE T mean_error(int i) {
    if (!two_point_labels()) return draw(normals_, i) * normal_scale_;
    T sum = signs_.next();
    for (int s = 1; s < drawing_.batch; ++s) sum += signs_.next();
    return sum * sign_scale_;
  }
  SDE_DEVICE void prepare_labels() {
    if (!two_point_labels()) prepare(normals_, n_);
  }

  /// Increments of covariance Sigma: label columns sigma grad f_i / sqrt(n), sampling columns (f_i grad f_i - grad
  /// L)/sqrt(n).
  SDE_DEVICE void conventional_weights() {
    const double scale = std::sqrt(drawing_.substeps / static_cast<double>(drawing_.batch));
    const double root = std::sqrt(static_cast<double>(n_));
    const double label = scale * std::sqrt(noise_.label_scale(n_));
    T mean = T(0.0);
    const bool sampled = n_ > 1 && noise_.sampling != Sampling::full;
    for (int i = 0; i < n_; ++i) {
      T w = f_[i] * T(1.0 / n_);
      if (sampled) {
        const T xi = increment(sample_normals_, sample_signs_) * T(scale / root);
        w += f_[i] * xi;
        mean += xi;
      }
      if (labels()) w += increment(normals_, signs_) * T(label / root);
      team_.mine(i, [&] { w_[i] = w; });
    }
    if (sampled) team_.strided(n_, [&](int i) { w_[i] -= f_[i] * mean * T(1.0 / n_); });
    team_.sync();
  }

  /// The same from the drawn residuals alone.
  SDE_DEVICE void drawn(const T* x, T* g) {
    const T inverse = T(1.0 / drawing_.batch);
    for (int s = 0; s < drawing_.batch; ++s) {
      const auto add = [&](const T& residual, auto entry) {
        const T weight = residual * inverse;
        team_.strided(d_, [&](int k) { g[k] = s == 0 ? weight * entry(k) : g[k] + weight * entry(k); });
      };
      if constexpr (kEntries) {
        const int drawn = pick_one(s);
        add(loss_.residual(drawn, x) + label_error(), [&](int k) { return loss_.jacobian_entry(drawn, k, x); });
      } else {
        add(linearize_drawn(s, x), [&](int k) { return slope_[k]; });
      }
    }
    team_.sync();
  }
  /// Residual of sample number `sample` of the batch, with its label's error; slope_ becomes its gradient.
  SDE_DEVICE T linearize_drawn(int sample, const T* x) {
    return with_drawn(sample, [&](const auto& input, const auto& label) {
      return loss_.linearize(x, input, label, slope_.data()) + label_error();
    });
  }
  /// A step by one drawn residual and nothing else.
  SDE_INLINE void descend_by_one(T* y, T* g, const T& eta) {
    if constexpr (kEntries) {
      const int drawn = pick_one(0);
      const T rate = eta * (loss_.residual(drawn, y) + label_error());
      team_.strided(d_, [&](int k) { g[k] = rate * loss_.jacobian_entry(drawn, k, y); });
      team_.each(d_, [&](int k) { y[k] -= g[k]; });
    } else if constexpr (requires { loss_.descend(y, y, *y, eta, eta, y); }) {
      with_drawn(0, [&](const auto& input, const auto& label) {
        loss_.descend(y, input, label, label_error(), eta, slope_.data());
      });
    } else {
      const T rate = eta * linearize_drawn(0, y);
      const T* const slope = slope_.data();
      for (int k = 0, d = d_; k < d; ++k) y[k] = y[k] - rate * slope[k];
    }
  }
  /// use(input, label) of sample number `sample` of the batch.
  template <class Use>
  SDE_DEVICE auto with_drawn(int sample, Use use) {
    if constexpr (kMayLookUp) {
      if (looks_up(loss_)) return loss::with_looked_up(loss_, table_.data(), picked_index(sample), inputs_.data(), use);
    }
    int picked[W];
    pick(sample, picked);
    return loss::with_drawn(loss_, picked, inputs_.data(), use);
  }
  /// Of one drawn label.
  SDE_DEVICE T label_error() {
    if (!labels()) return T(0.0);
    return (two_point_labels() ? signs_.next() : normals_.next()) * T(std::sqrt(noise_.sigma2));
  }

  SDE_DEVICE void sampled_weights() {
    team_.each(n_, [&](int i) { counts_[i] = errors_[i] = T(0.0); });
    for (int s = 0; s < drawing_.batch; ++s) {
      int picked[W];
      pick(s, picked);
      T error = T(0.0);
      if (labels()) error = two_point_labels() ? signs_.next() : normals_.next();
      team_.once([&] {
        for (int l = 0; l < W; ++l) {
          set_lane(counts_[picked[l]], l, lane(counts_[picked[l]], l) + scalar_of<T>(1));
          set_lane(errors_[picked[l]], l, lane(errors_[picked[l]], l) + lane(error, l));
        }
      });
    }
    const T sigma = T(std::sqrt(noise_.sigma2)), inverse = T(1.0 / drawing_.batch);
    team_.each(n_, [&](int i) { w_[i] = (counts_[i] * f_[i] + errors_[i] * sigma) * inverse; });
  }

  /// The number of the sample that each lane draws, in lanes as wide as T's; pick() gives it by plain numbers.
  auto picked_index(int sample) {
    using Index = Pack<typename std::conditional_t<sizeof(scalar_of<T>) == 8, std::uint64_t, std::uint32_t>, W>;
    if (noise_.sampling == Sampling::with_replacement) {
      const auto index = indices_.next(static_cast<std::uint32_t>(n_));
      if constexpr (sizeof(scalar_of<T>) == 8)
        return index;
      else
        return convert<std::uint32_t>(index);
    }
    int picked[W];
    pick(sample, picked);
    Index index(0);
    for (int l = 0; l < W; ++l) index.set(l, static_cast<unsigned>(picked[l]));
    return index;
  }
  /// The same for a team, which has one path.
  SDE_DEVICE int pick_one(int sample) requires kEntries {
    int picked[W];
    pick(sample, picked);
    return picked[0];
  }
  SDE_DEVICE void pick(int sample, int (&picked)[W]) {
    if (noise_.sampling == Sampling::with_replacement) {
      const auto index = indices_.next(static_cast<std::uint32_t>(n_));
      for (int l = 0; l < W; ++l) picked[l] = static_cast<int>(random::word_lane(index, l));
      return;
    }
    const std::uint64_t position =
        step_ * static_cast<std::uint64_t>(drawing_.batch) + static_cast<std::uint64_t>(sample);
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

  SDE_DEVICE void add_noise(const T* x, T* g) {
    const int columns = noise_.columns();
    if (columns == 0) return;
    prepare(additive_, columns);
    const auto next = [&](int s) {
      const T unit = conventional() && two_point_increments() ? additive_signs_.next() : draw(additive_, s);
      if constexpr (Coupled) at_index<kColumns>(s, [&](int c) { sums_[c] += unit; });
      return additive_scale_ * unit;
    };
    if (noise_.diagonal)
      for (int k = 0; k < d_; ++k) {
        const T xi = next(k);
        team_.mine(k, [&] { g[k] += xi * T(noise_.factor[k * d_ + k]); });
      }
    else
      for (int s = 0; s < columns; ++s) {
        const T xi = next(s);
        team_.strided(d_, [&](int k) { g[k] += xi * noise_.entry(d_, s, k, x); });
      }
    team_.sync();
  }

  /// An increment of the conventional SDE, of mean 0 and variance 1.
  SDE_DEVICE T increment(Normals& normals, Signs& signs) {
    return two_point_increments() ? signs.next() : normals.next();
  }
  /// Component s of a step's `count` standard normals, all of which prepare() has drawn where the gradient is coupled:
  /// there each is the normalized sum of the finer algorithm's draws, in its order.
  SDE_DEVICE T draw(Normals& stream, int s) {
    if constexpr (Coupled) {
      T drawn = draws_[0];
      at_index<kColumns>(s, [&](int c) { drawn = draws_[c]; });
      return drawn;
    } else {
      return stream.next();
    }
  }
  SDE_DEVICE void prepare(Normals& stream, int count) {
    if constexpr (Coupled) {
      const T scale = T(1.0 / std::sqrt(drawing_.fold));
      for (int f = 0; f < drawing_.fold; ++f)
        for_indices<kColumns>(count, [&](int s) {
          const T drawn = stream.next();
          draws_[s] = f == 0 ? drawn : draws_[s] + drawn;
        });
      for_indices<kColumns>(count, [&](int s) { draws_[s] *= scale; });
    }
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  Drawing drawing_;
  const Team team_;
  const Extent<dim_of<L>> d_;
  const Extent<N> n_;
  bool samples_ = false;
  bool draws_alone_ = false;  ///< only the drawn residuals are computed
  bool plain_ = false;        ///< the gradient of the full loss, but for additive noise
  int labels_per_step_ = 0;
  T sign_scale_{}, normal_scale_{}, additive_scale_{};
  random::StreamKey key_{};
  std::uint64_t step_ = 0, order_epoch_ = ~0ull;
  Buffer<T, N, Team> w_, f_, counts_, errors_;
  Buffer<T, kMayDraw ? kDynamic : 0, Team> inputs_, slope_;
  Buffer<scalar_of<T>, (kMayDraw && W > 1) ? kDynamic : 0, Team> table_;
  Buffer<std::uint16_t, N == kDynamic ? kDynamic : N * W, Team> order_;  ///< W lanes of n
  Normals normals_, sample_normals_, additive_;
  Signs signs_{{}, random::Purpose::label, 0}, sample_signs_{{}, random::Purpose::sample, 0},
      additive_signs_{{}, random::Purpose::noise, 0};
  random::IndexStream<T> indices_{{}, random::Purpose::sample, 0};
  // Of a coupled gradient.
  struct Nothing {
    SDE_DEVICE Nothing(int) {}
  };
  using Recorded = std::conditional_t<Coupled, Buffer<T, kColumns>, Nothing>;
  [[no_unique_address]] Recorded draws_, sums_;
};

}  // namespace sde::discrete
