// Gradient noise: what one sample adds to grad L, as a sum of
//   label noise      labels of a squared loss perturbed afresh at each draw, variance sigma2 (Gaussian or +-sigma)
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

enum class Sampling { full, with_replacement, without_replacement };
enum class Law { gaussian, two_point };

/// A sum of the noise sources above; default: none. Matrices have d rows and are stored column by column.
struct Noise {
  double sigma2 = 0;  ///< label variance
  Law label_law = Law::gaussian;
  Sampling sampling = Sampling::full;
  int rank = 0;                ///< columns of the constant factor A
  std::vector<double> factor;  ///< A: rank columns of d entries
  int state_rank = 0;          ///< columns of A(theta)
  std::vector<double> state;   ///< A_0, A_1, ..., A_d: (d + 1) matrices of state_rank columns of d entries

  /// Variance of label noise per sample in units of Hess on Gamma.
  double label_scale(int n) const { return sampling == Sampling::full ? sigma2 / n : sigma2; }
  /// Columns of the factor that does not come from labels or sampling.
  int columns() const { return rank + state_rank; }
};

/// A[columns * d]: constant columns first, then the state-dependent ones at theta[d].
template <class T>
void noise_columns(const Noise& noise, int d, const T* theta, T* A) {
  for (int k = 0; k < noise.rank * d; ++k) A[k] = T(noise.factor[k]);
  const int size = noise.state_rank * d;
  for (int k = 0; k < size; ++k) {
    T sum = T(noise.state[k]);
    for (int j = 0; j < d; ++j) sum += theta[j] * T(noise.state[(j + 1) * size + k]);
    A[noise.rank * d + k] = sum;
  }
}

}  // namespace sde
