// The update rule of methods that divide by a running mean of squared gradients (theory.md section 10): RMSProp, Adam,
// AdamE, their local versions, and SGD in a fixed diagonal metric.
#pragma once

#include <cmath>
#include <cstdint>

#include "sde/discrete/position.hpp"
#include "sde/slow/lane_metric.hpp"

namespace sde::discrete {

/// v <- v + (1 - beta2)(g*g - v),  m <- beta1 m + (1 - beta1) g,  y <- y - eta m/(v^power + epsilon). At the end of a
/// round positions, v and m of the workers are averaged. A path keeps v - v(0), so that it starts with nothing but 0.
struct AdaptiveSgd {
  static constexpr int kSharedSlots = 0, kWorkerSlots = 2;  // v - v(0), m

  double beta1 = 0;
  double c = 0;      ///< 1 - beta2 = c eta^2; 0: beta2
  double beta2 = 1;  ///< 1: v stays what it is
  double epsilon = 0, power = 0.5;
  bool bias_correction = false;  ///< as PyTorch's Adam: m/(1 - beta1^t) and v/(1 - beta2^t) after t steps
  int workers = 1;
  const double* v0 = nullptr;  ///< [d] v(0)

  template <class Gradient, class T, class Team>
  SDE_INLINE void step(Gradient& gradient, int d, const Position<T>& y, T* kept, T* g, const T& eta, std::int64_t k,
                       const Team& team) const {
    gradient(y.x, g);
    const T gain = c > 0 ? T(c) * eta * eta : T(1 - beta2);
    const double of_m = bias_correction ? 1 / (1 - whole_power(beta1, k + 1)) : 1;
    const double of_v = bias_correction ? 1 / (1 - whole_power(beta2, k + 1)) : 1;
    T* const m = kept + d;
    team.each(d, [&](int j) {
      const T before = T(v0[j]) + kept[j];
      kept[j] += gain * (g[j] * g[j] - before);
      m[j] = T(beta1) * m[j] + T(1 - beta1) * g[j];
      const T v = (T(v0[j]) + kept[j]) * T(of_v);
      y.move(j, -(eta * (m[j] * T(of_m)) / (slow::power_of_v(v, power) + T(epsilon))));
    });
  }
  template <class T, class Displacement, class Team>
  SDE_INLINE void synchronize(int d, const Position<T>& x, T* slots, Displacement displacement,
                              const Team& team) const {
    team.each(d, [&](int j) {
      x.move(j, displacement(j));
      if (workers == 1) return;
      for (const int slot : {0, 1}) {
        T mean = T(0.0);
        for (int w = 0; w < workers; ++w) mean += slots[(2 * w + slot) * d + j];
        mean = mean * T(1.0 / workers);
        for (int w = 0; w < workers; ++w) slots[(2 * w + slot) * d + j] = mean;
      }
    });
  }

 private:
  SDE_DEVICE static double whole_power(double base, std::int64_t exponent) {
    double result = 1;
    for (; exponent > 0; exponent >>= 1) {
      if (exponent & 1) result = result * base;
      base = base * base;
    }
    return result;
  }
};

}  // namespace sde::discrete
