// One stochastic gradient, at x, of a batch of b samples. For a squared loss it is
//
//   g = (1/b) sum_s (f_i + e_s) grad f_i  +  A(x) xi/sqrt(b)          i = i_s drawn from the n residuals (sampling), or
//   g = (1/b) sum_s (1/n) sum_i (f_i + e_(s,i)) grad f_i  +  A(x) xi/sqrt(b)        each sample all of them (full),
//
// with label errors e of variance sigma^2 and xi ~ N(0, 1) for each column of A; for any other loss g = grad L + A(x)
// xi/sqrt(b). The conventional SDE replaces all but grad L by Gaussian increments of the same covariance. All sources
// but additive noise act through weights on the residuals, so the first sum is J^T w: one vector-Jacobian product
// whatever the noise. Where each part stands:
//
//   which i_s                              sample_draws.hpp       sum over the drawn alone    drawn_residuals.hpp
//   e                                      label_errors.hpp       A(x) xi/sqrt(b)             additive_noise.hpp
//   w of all, of samples, of increments    residual_weights.hpp   what is kept of the draws   recorded_draws.hpp
#pragma once

#include "sde/discrete/additive_noise.hpp"
#include "sde/discrete/drawn_residuals.hpp"
#include "sde/discrete/residual_weights.hpp"

namespace sde::discrete {

/// Coupled: the draws of Drawing::recorded are summed up as they are drawn, and draws may be coarsened; by a thread of
/// its own (Solo). kSources: what may occur (Source). A team shares the arrays and the work; its members draw the same
/// numbers.
template <Loss L, class T, bool Coupled = false, class Team = Solo, unsigned kSources = kAnySource>
class StochasticGradient {
  static constexpr int N = SquaredLoss<L> ? residuals_of<L> : 1;
  using Kernel = discrete::Kernel<kSources>;
  static constexpr bool kMaySample = N != 1 && Kernel::uses(kSampling);
  static constexpr bool kMayDraw = kMaySample && DrawnLoss<L>;
  /// Columns of a coupled gradient's noise: any number on the CPU, on a GPU as many as a thread keeps in registers.
  static constexpr int kColumns = lanes_of<T> == 1 && dim_of<L> > 0 && N == 1 ? dim_of<L> : kDynamic;

 public:
  SDE_DEVICE StochasticGradient(const L& loss, const NoiseView<scalar_of<T>>& noise, const Drawing& drawing,
                                const Team& team = {})
      : loss_(loss),
        noise_(noise),
        drawing_(drawing),
        team_(team),
        d_(loss.dim()),
        n_(sample_count(loss)),
        weights_(n_, team),
        drawn_(loss, noise, team),
        batch_(n_, noise, drawing, team),
        additive_(noise.columns(), team) {
    use_batch(drawing.batch);
  }

  /// The gradients from here on are means over `batch` samples.
  SDE_DEVICE void use_batch(int batch) {
    drawing_.batch = batch;
    batch_.use_batch(noise_, drawing_, n_);
    if constexpr (kMayDraw) draws_alone_ = batch_.drawn() && drawn_.pays(batch, n_);
    plain_ = batch_.labels().none() && !noise_.samples(n_);
    additive_.use_batch(drawing_);
  }

  /// Sets the streams to the beginning of local step `step` of one worker.
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step) {
    batch_.seek(key, step, drawing_);
    weights_.seek(key, step, drawing_);
    additive_.seek(key, step, noise_.columns(), drawing_.coarsening);
  }

  /// g[d] = stochastic gradient at x[d]; moves on to the next step.
  SDE_DEVICE void operator()(const T* x, T* g) {
    if constexpr (!SquaredLoss<L>) {
      loss::gradient(loss_, x, g, team_);
    } else if constexpr (requires { loss_.gradient(x, g); }) {
      if (plain_)
        team_.once([&] { loss_.gradient(x, g); });
      else
        of_batch(x, g);
    } else {
      of_batch(x, g);
    }
    if (Kernel::uses(kAdditive)) additive_.add(noise_, drawing_, x, g, d_, team_, batch_.record());
    batch_.end_step();
  }

  /// y -= eta times the stochastic gradient at y, by way of g[d] where it is needed; moves on to the next step.
  SDE_DEVICE void descend(const Position<T>& y, T* g, T eta) {
    if constexpr (kMayDraw) {
      if (draws_alone_ && drawing_.batch == 1 && noise_.columns() == 0) {
        drawn_.descend(loss_, noise_, drawing_, batch_, y, g, eta, team_);
        batch_.end_step();
        return;
      }
    }
    (*this)(y.x, g);
    team_.each(d_, [&](int k) { y.move(k, -(eta * g[k])); });
  }

  /// Adds the recorded sums to total[Drawing::recorded.count()] and clears them.
  SDE_DEVICE void take_noise(T* total) requires Coupled { batch_.record().take(total); }

 private:
  /// All but additive noise.
  SDE_DEVICE void of_batch(const T* x, T* g) {
    if constexpr (kMayDraw) {
      if (draws_alone_) {
        drawn_.gradient(loss_, noise_, drawing_, batch_, x, g, team_);
        return;
      }
    }
    if constexpr (N == 1 && kAlone<Team> && requires { loss_.gradient(x, g), loss_.noisy_gradient(x, *x, g); }) {
      if (!Kernel::conventional(drawing_)) {  // the one label has an error: without, gradient() was called
        batch_.labels().prepare(noise_, drawing_, n_);
        loss_.noisy_gradient(x, batch_.mean_error(0, noise_, drawing_), g);
        return;
      }
    }
    loss::residuals(loss_, x, weights_.residuals(), team_);
    loss::pullback(loss_, x, weights_.compute(noise_, drawing_, batch_), g, team_);
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  Drawing drawing_;
  const Team team_;
  const Extent<dim_of<L>> d_;
  const Extent<N> n_;
  bool draws_alone_ = false;  ///< only the drawn residuals are computed
  bool plain_ = false;        ///< the gradient of the full loss, but for additive noise
  ResidualWeights<T, N, Team, kSources, kMaySample> weights_;
  [[no_unique_address]] std::conditional_t<kMayDraw, DrawnResiduals<L, T, Team>, NoDrawnResiduals> drawn_;
  Batch<T, N, Team, kSources, kMaySample, Coupled, kColumns> batch_;
  AdditiveNoise<T, Team, kSources, Coupled, kColumns> additive_;
};

}  // namespace sde::discrete
