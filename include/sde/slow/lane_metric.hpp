// In which metric a geometry takes its terms: that of theta, or, of adaptive methods (theory.md section 10), that of
// S = diag(1/(v^power + epsilon)) with the v of each path. Points stay points of theta. Normals, eigenpairs and the
// noise's columns are those of phi = S^(-1/2) theta; what a geometry hands out is turned back to theta.
#pragma once

#include <cmath>

#include "sde/core/buffer.hpp"
#include "sde/core/functions.hpp"
#include "sde/loss/noise.hpp"

namespace sde::slow {

/// A moving metric (moving_metric.hpp) as a kernel reads it.
struct MetricNumbers {
  double c = 0;  ///< 0: v stays what it is
  double epsilon = 0, power = 0.5;
  double batch = 1;               ///< b, of one gradient
  const double* start = nullptr;  ///< v(0)[d]

  /// The part of the way to diag Sigma/b that v goes in a step of length dt: exact where Sigma stays. Of the host, so
  /// that a device takes the same number.
  double gain(double dt) const { return -std::expm1(-c * dt); }
};

/// v^power of v >= 0.
template <class T>
SDE_INLINE T power_of_v(const T& v, double power) {
  if (power == 0.5) return sqrt(v);
  const auto some = v > T(0.0);
  return select(some, exp(T(power) * log(select(some, v, T(1.0)))), T(0.0));
}

/// That of theta: all that is asked of it is nothing, and costs nothing.
struct NoMetric {
  static constexpr bool kMoves = false;
  /// What makes one; here nothing.
  struct Settings {};
  template <class Team>
  SDE_INLINE NoMetric(const Settings&, int, const Team&) {}
  template <class T, class Team>
  SDE_INLINE void begin(int, int, T*, const NoiseView<scalar_of<T>>&, const T*, const Team&) {}
  template <class T>
  SDE_INLINE const T& operator()(int, const T& u) const {
    return u;
  }
  template <class T, class Team>
  SDE_INLINE void turn(int, T*, const Team&) const {}
  template <class T, class Team>
  SDE_INLINE void turn_matrix(int, T*, const Team&) const {}
  template <class T, class Team>
  SDE_INLINE const T* turned(int, const T* u, T*, const Team&) const {
    return u;
  }
};

/// S of each path with its v, which moves: v' = c (diag Sigma(zeta)/b - v). Sigma is that of label noise on a Gamma
/// where residuals vanish, and of additive noise.
template <class T, int D, class Team = Solo>
class LaneMetric {
 public:
  static constexpr bool kMoves = true;
  using Settings = MetricNumbers;

  SDE_DEVICE LaneMetric(const Settings& numbers, int d, const Team& team)
      : numbers_(numbers), v_(d, team), root_(d, team), additive_(d, team) {}

  /// v = v(0) + kept[d], for steps in each of which it goes `gain` (MetricNumbers::gain) of its way; and back.
  SDE_DEVICE void load(int d, const T* kept, double gain, const NoiseView<scalar_of<T>>& noise, const Team& team) {
    gain_ = gain;
    team.each(d, [&](int k) {
      v_[k] = T(scalar_of<T>(numbers_.start[k])) + kept[k];
      T sum = T(0.0);
      for (int s = 0; s < noise.rank; ++s) sum += T(noise.factor[s * d + k]) * T(noise.factor[s * d + k]);
      additive_[k] = sum;
    });
  }
  SDE_DEVICE void store(int d, T* kept, const Team& team) const {
    team.each(d, [&](int k) { kept[k] = v_[k] - T(scalar_of<T>(numbers_.start[k])); });
  }
  /// A step begins at x[d] on Gamma: S^(1/2) of v, after which v goes on already, since the step asks for it no more.
  /// J[n * d], the residuals' Jacobian in theta, becomes that in phi. n = 0: a loss without.
  SDE_INLINE void begin(int d, int n, T* J, const NoiseView<scalar_of<T>>& noise, const T* x, const Team& team) {
    const T label = T(n > 0 ? noise.label_scale(n) / n : 0.0), inverse_batch = T(1.0 / numbers_.batch);
    team.each(d, [&](int k) {
      const T v = v_[k], root = root_of(v);
      T additive = additive_[k], slopes = T(0.0);
      for (int s = noise.rank; s < noise.columns(); ++s) {
        const T entry = noise.entry(d, s, k, x);
        additive += entry * entry;
      }
      for (int i = 0; i < n; ++i) {
        slopes += J[i * d + k] * J[i * d + k];
        J[i * d + k] *= root;
      }
      v_[k] = v + ((label * slopes + additive) * inverse_batch - v) * T(gain_);
      root_[k] = root;
    });
  }

  /// Entry k of S^(1/2) u: of phi's vector u theta's, of theta's gradient or noise phi's.
  SDE_INLINE T operator()(int k, const T& u) const { return root_[k] * u; }
  /// u[d] <- S^(1/2) u.
  SDE_INLINE void turn(int d, T* u, const Team& team) const {
    team.each(d, [&](int k) { u[k] *= root_[k]; });
  }
  /// M[d*d] <- S^(1/2) M S^(1/2), symmetric where M is.
  SDE_INLINE void turn_matrix(int d, T* M, const Team& team) const {
    team.each(d * d, [&](int k) { M[k] *= root_[k / d] * root_[k % d]; });
  }
  /// S^(1/2) u, in to[d].
  SDE_INLINE const T* turned(int d, const T* u, T* to, const Team& team) const {
    team.each(d, [&](int k) { to[k] = root_[k] * u[k]; });
    return to;
  }

 private:
  /// 1/sqrt(v^power + epsilon), without a root or a division of the machine's.
  SDE_INLINE T root_of(const T& v) const {
    const auto some = v > T(0.0);
    const T power = numbers_.power == 0.5 ? select(some, v * inverse_sqrt(v), T(0.0))
                                          : power_of_v(select(some, v, T(0.0)), numbers_.power);
    return inverse_sqrt(power + T(numbers_.epsilon));
  }

  const Settings numbers_;
  Buffer<T, D, Team> v_, root_;
  Buffer<T, D, Team> additive_;  ///< diag A A^T of the constant noise
  double gain_ = 0;
};

}  // namespace sde::slow
