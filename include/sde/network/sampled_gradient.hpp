// One stochastic gradient of a loss that is a sum over samples: the mean over a batch of b drawn samples, each with its
// class redrawn with a probability, or over all n. It takes the place of stochastic_gradient.hpp's in the step loop, so
// that all algorithms and schedules are the same code.
#pragma once

#include "sde/discrete/sample_draws.hpp"
#include "sde/discrete/stochastic_gradient.hpp"
#include "sde/network/sampled_loss.hpp"

namespace sde::discrete {

template <network::SampledLoss L, class T, class Team, unsigned kSources>
class StochasticGradient<L, T, false, Team, kSources> {
  static constexpr int W = lanes_of<T>;

 public:
  StochasticGradient(const L& loss, const NoiseView<scalar_of<T>>& noise, const Drawing& drawing, const Team& team = {})
      : loss_(loss),
        noise_(noise),
        team_(team),
        n_(loss.sample_count()),
        batch_(drawing.batch),
        samples_(n_, noise.sampling, team),
        gradient_(loss) {}

  void use_batch(int batch) { batch_ = batch; }

  /// Sets the streams to the beginning of local step `step` of one worker.
  void seek(const random::StreamKey& key, std::uint64_t step) {
    samples_.seek(key, step, batch_);
    if (noise_.redraw > 0) redraws_.restart(key, step * static_cast<std::uint64_t>(batch_) * kWords);
  }

  /// g[d] = stochastic gradient at x[d]; moves on to the next step.
  void operator()(const T* x, T* g) {
    if (noise_.sampling == Sampling::full)
      gradient_(
          x, n_,
          [&](int s, int(&picked)[W], T& label) {
            for (int& p : picked) p = s;
            label = T(static_cast<scalar_of<T>>(loss_.label(s)));
          },
          g);
    else
      gradient_(
          x, batch_,
          [&](int s, int(&picked)[W], T& label) {
            samples_.pick(s, batch_, picked);
            label_of(picked, label);
          },
          g);
    samples_.end_step();
  }

  /// y -= eta times the stochastic gradient at y, by way of g[d]; moves on to the next step.
  void descend(const Position<T>& y, T* g, T eta) {
    (*this)(y.x, g);
    team_.each(loss_.dim(), [&](int k) { y.move(k, -(eta * g[k])); });
  }

 private:
  /// Random words for a sample's label: whether it is redrawn, and which of the other classes it then is.
  static constexpr int kWords = 2;

  void label_of(const int (&picked)[W], T& label) {
    if (!(noise_.redraw > 0)) {
      for (int l = 0; l < W; ++l) set_lane(label, l, static_cast<scalar_of<T>>(loss_.label(picked[l])));
      return;
    }
    const double below = noise_.redraw * 0x1p32;
    const auto word = redraws_.next(0xffffffffu);
    const auto other = redraws_.next(static_cast<std::uint32_t>(loss_.classes() - 1));
    for (int l = 0; l < W; ++l) {
      const int own = loss_.label(picked[l]), drawn = static_cast<int>(random::word_lane(other, l));
      const bool redrawn = static_cast<double>(random::word_lane(word, l)) < below;
      set_lane(label, l, static_cast<scalar_of<T>>(!redrawn ? own : drawn < own ? drawn : drawn + 1));
    }
  }

  const L& loss_;
  const NoiseKind noise_;
  const Team team_;
  const int n_;
  int batch_;
  SampleDraws<T, kDynamic, Team> samples_;
  random::IndexStream<T> redraws_{{}, random::Purpose::label, 0};
  typename L::template BatchOf<T> gradient_;
};

}  // namespace sde::discrete
