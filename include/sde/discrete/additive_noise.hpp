// Noise that does not come from labels or sampling: A(x) xi/sqrt(b), the columns of A constant or dependent on x.
#pragma once

#include "sde/discrete/recorded_draws.hpp"
#include "sde/discrete/unit_draws.hpp"

namespace sde::discrete {

/// Adds A(x) xi/sqrt(b) to a gradient, xi Gaussian or +-1.
template <class T, class Team, unsigned kSources, bool kCoupled, int kColumns>
class AdditiveNoise {
  using Kernel = discrete::Kernel<kSources>;
  using Record = RecordedDraws<T, kCoupled, kColumns>;

 public:
  SDE_DEVICE AdditiveNoise(int columns, const Team& team) : normals_(random::Purpose::noise, columns, team) {}
  SDE_DEVICE void use_batch(const Drawing& drawing) {
    scale_ = T(std::sqrt((Kernel::conventional(drawing) ? drawing.substeps : 1.0) / drawing.batch));
  }
  SDE_DEVICE void seek(const random::StreamKey& key, std::uint64_t step, int columns, int coarsening) {
    if (!Kernel::uses(kAdditive) || columns == 0) return;
    normals_.restart(key, step * columns * coarsening);
    if (Kernel::uses(kTwoPointIncrements)) signs_.restart(key, step * columns);
  }

  /// g[d] += A(x) xi/sqrt(b)
  SDE_DEVICE void add(const NoiseView<scalar_of<T>>& noise, const Drawing& drawing, const T* x, T* g, int d,
                      const Team& team, Record& record) {
    const int columns = noise.columns();
    if (columns == 0) return;
    normals_.prepare(columns, drawing.coarsening);
    const auto next = [&](int s) {
      const T unit =
          Kernel::conventional(drawing) && Kernel::two_point_increments(drawing) ? signs_.next() : normals_.draw(s);
      record.additive(s, unit);
      return scale_ * unit;
    };
    if (noise.diagonal)
      for (int k = 0; k < d; ++k) {
        const T xi = next(k);
        team.mine(k, [&] { g[k] += xi * T(noise.factor[k * d + k]); });
      }
    else
      for (int s = 0; s < columns; ++s) {
        const T xi = next(s);
        team.strided(d, [&](int k) { g[k] += xi * noise.entry(d, s, k, x); });
      }
    team.sync();
  }

 private:
  T scale_{};
  StepNormals<T, Team, kCoupled, kColumns> normals_;
  random::SignStream<T> signs_{{}, random::Purpose::noise, 0};
};

}  // namespace sde::discrete
