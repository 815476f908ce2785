// The gradient from the residuals that are drawn alone, where they are few of many and the loss gives them one by one
// (DrawnLoss): g = (1/b) sum_s (f_i + error_s) grad f_i, i the sample number s. The same sum as J^T w in
// stochastic_gradient.hpp, in the order of the samples.
#pragma once

#include "sde/discrete/drawing.hpp"
#include "sde/discrete/position.hpp"
#include "sde/loss/derivatives.hpp"

namespace sde::discrete {

/// Steps along the gradients of the drawn residuals, one after the other.
template <Loss L, class T, class Team>
class DrawnResiduals {
  static constexpr int W = lanes_of<T>;
  /// Whether a team asks for a drawn residual's gradient entry by entry.
  static constexpr bool kEntries = loss::detail::kShared<Team>;
  /// Whether lanes look their inputs up in registers.
  static constexpr bool kMayLookUp = W > 1 && (kLookupSize<scalar_of<T>> > 0);

 public:
  SDE_DEVICE DrawnResiduals(const L& loss, const NoiseKind& noise, const Team& team)
      : d_(loss.dim()),
        inputs_(input_size(loss), team),
        slope_(kEntries ? 0 : int(d_), team),
        table_(table_size(loss, noise), team) {
    if constexpr (kMayLookUp)
      if (table_size(loss, noise) > 0) loss::fill_lookup<T>(loss, table_.data());
  }

  /// Whether a batch is better taken from its own residuals than as weights on all n.
  SDE_DEVICE static bool pays(int batch, int n) { return batch <= n / kCostOfDrawn; }

  /// g[d] = the gradient of the batch at x[d].
  template <class Batch>
  SDE_DEVICE void gradient(const L& loss, const NoiseKind& noise, const Drawing& drawing, Batch& batch, const T* x,
                           T* g, const Team& team) {
    const T inverse = T(1.0 / drawing.batch);
    for (int s = 0; s < drawing.batch; ++s) {
      const auto add = [&](const T& residual, auto entry) {
        const T weight = residual * inverse;
        team.strided(d_, [&](int k) { g[k] = s == 0 ? weight * entry(k) : g[k] + weight * entry(k); });
      };
      if constexpr (kEntries) {
        const int drawn = pick_one(s, drawing, batch);
        add(loss.residual(drawn, x) + batch.error(noise), [&](int k) { return loss.jacobian_entry(drawn, k, x); });
      } else {
        add(linearize(loss, noise, drawing, batch, s, x), [&](int k) { return slope_[k]; });
      }
    }
    team.sync();
  }

  /// y -= eta times the gradient of a batch of one sample; g[d] is scratch.
  template <class Batch>
  SDE_INLINE void descend(const L& loss, const NoiseKind& noise, const Drawing& drawing, Batch& batch,
                          const Position<T>& y, T* g, const T& eta, const Team& team) {
    if constexpr (kEntries) {
      const int drawn = pick_one(0, drawing, batch);
      const T rate = eta * (loss.residual(drawn, y.x) + batch.error(noise));
      team.strided(d_, [&](int k) { g[k] = rate * loss.jacobian_entry(drawn, k, y.x); });
      team.each(d_, [&](int k) { y.move(k, -g[k]); });
    } else if constexpr (!kCompensated<T> && requires { loss.descend(g, g, *g, eta, eta, g); }) {
      with_drawn(loss, drawing, batch, 0, [&](const auto& input, const auto& label) {
        loss.descend(y.x, input, label, batch.error(noise), eta, slope_.data());
      });
    } else {
      const T rate = eta * linearize(loss, noise, drawing, batch, 0, y.x);
      const T* const slope = slope_.data();
      for (int k = 0, d = d_; k < d; ++k) y.move(k, -(rate * slope[k]));
    }
  }

 private:
  /// A drawn residual with its gradient costs as much as this many of all n: each lane gathers its own data.
  static constexpr int kCostOfDrawn = 3;

  /// Lanes gather their inputs; a single path reads its own where they stand.
  SDE_DEVICE static int input_size(const L& loss) { return W > 1 ? loss.input_size() : 0; }
  static bool looks_up(const L& loss) { return sample_count(loss) <= kLookupSize<scalar_of<T>>; }
  SDE_DEVICE static int table_size(const L& loss, const NoiseKind& noise) {
    if constexpr (kMayLookUp)
      return looks_up(loss) && noise.sampling != Sampling::full ? (loss.input_size() + 1) * kLookupSize<scalar_of<T>>
                                                                : 0;
    else
      return 0;
  }

  /// Residual of sample number `sample` of the batch, with its label's error; slope_ becomes its gradient.
  template <class Batch>
  SDE_DEVICE T linearize(const L& loss, const NoiseKind& noise, const Drawing& drawing, Batch& batch, int sample,
                         const T* x) {
    return with_drawn(loss, drawing, batch, sample, [&](const auto& input, const auto& label) {
      return loss.linearize(x, input, label, slope_.data()) + batch.error(noise);
    });
  }
  /// use(input, label) of sample number `sample` of the batch.
  template <class Batch, class Use>
  SDE_DEVICE auto with_drawn(const L& loss, const Drawing& drawing, Batch& batch, int sample, Use use) {
    if constexpr (kMayLookUp) {
      if (looks_up(loss))
        return loss::with_looked_up(loss, table_.data(), batch.pick_index(sample, drawing), inputs_.data(), use);
    }
    int picked[W];
    batch.pick(sample, drawing, picked);
    return loss::with_drawn(loss, picked, inputs_.data(), use);
  }
  /// A team has one path.
  template <class Batch>
  SDE_DEVICE int pick_one(int sample, const Drawing& drawing, Batch& batch) {
    int picked[W];
    batch.pick(sample, drawing, picked);
    return picked[0];
  }

  const Extent<dim_of<L>> d_;
  Buffer<T, kDynamic, Team> inputs_, slope_;
  Buffer<scalar_of<T>, W == 1 ? 0 : kDynamic, Team> table_;
};

/// A loss that does not give its residuals one by one.
struct NoDrawnResiduals {
  template <class... Arguments>
  SDE_DEVICE explicit NoDrawnResiduals(const Arguments&...) {}
};

}  // namespace sde::discrete
