// The update rule of all algorithms with momenta: of the workers' own (heavy ball, Nesterov), and of an outer step
// after the average (DiLoCo, Lookahead, SlowMo). Its matrices (theory.md section 9) are in momentum_type.cpp.
#pragma once

#include <cstdint>

#include "sde/discrete/position.hpp"

namespace sde::slow {
struct ExchangeableAlgorithm;
}

namespace sde::discrete {

/// A worker: y <- y - eta (direct g + again v), v <- beta v + g. At the end of a round, with the mean displacement D
/// and the outer momentum u: x <- x + outer_direct D + outer_again u, u <- mu u + D.
struct MomentumSgd {
  static constexpr int kSharedSlots = 1, kWorkerSlots = 1;  // u; v
  /// What becomes of the workers' v at the end of a round.
  enum class AtSynchronization { averaged, kept, reset };

  double beta = 0, direct = 1, again = 0;
  double mu = 0, outer_direct = 1, outer_again = 0;
  AtSynchronization at = AtSynchronization::kept;
  int workers = 1;

  /// The step in, as PyTorch's SGD has it. Heavy ball: along beta v + g; Nesterov: along g + beta (beta v + g).
  void set_inner(bool nesterov, double inner_beta) {
    beta = inner_beta;
    direct = nesterov ? 1 + beta : 1;
    again = nesterov ? beta * beta : beta;
  }
  /// u <- mu u + D, then x moves by gamma u, or (Nesterov) gamma (D + mu u).
  void set_outer(bool nesterov, double gamma, double outer_mu) {
    mu = outer_mu;
    outer_direct = nesterov ? gamma * (1 + mu) : gamma;
    outer_again = nesterov ? gamma * mu * mu : gamma * mu;
  }

  template <class Gradient, class T, class Team>
  SDE_INLINE void step(Gradient& gradient, int d, const Position<T>& y, T* v, T* g, const T& eta, std::int64_t /*k*/,
                       const Team& team) const {
    gradient(y.x, g);
    team.each(d, [&](int k) {
      y.move(k, -(eta * (T(direct) * g[k] + T(again) * v[k])));
      v[k] = T(beta) * v[k] + g[k];
    });
  }
  template <class T, class Displacement, class Team>
  SDE_INLINE void synchronize(int d, const Position<T>& x, T* slots, Displacement displacement,
                              const Team& team) const {
    T* const v = slots + d;
    team.each(d, [&](int j) {
      const T moved = displacement(j), u = slots[j];
      x.move(j, T(outer_direct) * moved + T(outer_again) * u);
      slots[j] = T(mu) * u + moved;
      if (at == AtSynchronization::kept) return;
      T mean = T(0.0);
      if (at == AtSynchronization::averaged) {
        for (int w = 0; w < workers; ++w) mean += v[w * d + j];
        mean = mean * T(1.0 / workers);
      }
      for (int w = 0; w < workers; ++w) v[w * d + j] = mean;
    });
  }

  /// The same as matrices, at eta = 1 and b = 1: a worker's slots y and w = -eta v; of the average also the anchor a,
  /// where the round began, and u.
  slow::ExchangeableAlgorithm matrices(std::int64_t H) const;
};

}  // namespace sde::discrete
