// Gradient noise: what one sample adds to grad L, as a sum of
//   label noise      labels of a squared loss perturbed afresh at each draw, variance sigma2 (Gaussian or +-sigma);
//                    classes of a loss of classes (SampledLoss) another one afresh at each draw, probability redraw
//   sampling         each sample is one of the n residuals, with replacement or in reshuffled epochs; or all n (full)
//   constant noise   N(0, A A^T)
//   state noise      N(0, A(theta) A(theta)^T), A(theta) = A_0 + sum_k theta_k A_k
// With one residual drawn per sample, Sigma = sigma2 Hess on an interpolating Gamma (theory.md section 4). With `full`
// every label is perturbed in every draw and Sigma = (sigma2 / n) Hess.
#pragma once

#include <vector>

#include "sde/core/buffer.hpp"
#include "sde/core/math.hpp"

namespace sde {

/// How a batch is drawn from n samples: all of them, or with or without replacement.
enum class Sampling { full, with_replacement, without_replacement };
/// Of labels' errors: Gaussian, or +-sigma.
enum class Law { gaussian, two_point };

/// Which of the sources above, and how strong.
struct NoiseKind {
  double sigma2 = 0;  ///< label variance
  Law label_law = Law::gaussian;
  Sampling sampling = Sampling::full;
  int rank = 0;        ///< columns of the constant factor A
  int state_rank = 0;  ///< columns of A(theta)
  double redraw = 0;   ///< of a loss of classes: probability that a drawn sample's class is another, all others alike

  /// Variance of label noise per sample in units of Hess on Gamma.
  SDE_DEVICE double label_scale(int n) const { return sampling == Sampling::full ? sigma2 / n : sigma2; }
  /// Columns of the factor that does not come from labels or sampling (innovations.hpp names those, too).
  SDE_DEVICE int columns() const { return rank + state_rank; }
  /// Whether samples are drawn from n residuals.
  SDE_DEVICE bool samples(int n) const { return n > 1 && sampling != Sampling::full; }
  /// Whether it draws each sample once an epoch.
  SDE_DEVICE bool reshuffles(int n) const { return n > 1 && sampling == Sampling::without_replacement; }
};

/// Noise as a kernel reads it: in its own numbers S, wherever they stand.
template <class S>
struct NoiseView : NoiseKind {
  const S *factor = nullptr, *state = nullptr;
  bool diagonal = false;  ///< the factor is constant, square and diagonal: steps need not multiply by its zeros

  /// Entry k of column s of the factor at theta[d]: constant columns first, then the state-dependent ones.
  template <class T>
  SDE_INLINE T entry(int d, int s, int k, const T* theta) const {
    if (s < rank) return T(factor[s * d + k]);
    const int size = state_rank * d, i = (s - rank) * d + k;
    T sum = T(state[i]);
    for (int j = 0; j < d; ++j) sum += theta[j] * T(state[(j + 1) * size + i]);
    return sum;
  }
};

/// A sum of the noise sources above in numbers S; default: none. Matrices have d rows and are stored column by column.
template <class S>
struct NoiseOf : NoiseKind {
  std::vector<S> factor;  ///< A: rank columns of d entries
  std::vector<S> state;   ///< A_0, A_1, ..., A_d: (d + 1) matrices of state_rank columns of d entries

  NoiseOf() = default;
  template <class From>
  explicit NoiseOf(const NoiseOf<From>& n)
      : NoiseKind(n), factor(n.factor.begin(), n.factor.end()), state(n.state.begin(), n.state.end()) {}
  /// Throws InputError where the arrays are not those of a loss of dimension d with n residuals (0: not squared), or
  /// `classes` of a loss that is a sum over samples of so many classes.
  void check(int d, int n, int classes = 0) const;
  NoiseView<S> view() const { return {*this, factor.data(), state.data(), diagonal()}; }
  bool diagonal() const {
    const auto d = static_cast<std::size_t>(rank);
    if (rank == 0 || state_rank > 0 || factor.size() != d * d) return false;
    for (std::size_t k = 0; k < d * d; ++k)
      if (k % (d + 1) != 0 && factor[k] != S(0)) return false;
    return true;
  }
};
/// Noise in double, as it is set up.
using Noise = NoiseOf<double>;
/// @cond  Doxygen takes it for a function of its own.
template <>
void Noise::check(int d, int n, int classes) const;
/// @endcond

}  // namespace sde
