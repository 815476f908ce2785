// Innovations: what noise draws for a path, named by the columns of a factor A of Sigma = A A^T that the draws
// multiply. One description for the algorithm, which draws, and for the slow SDE's step, which is given increments
// (theory.md section 3). With n residuals f_i, labels of variance sigma^2 and b samples a gradient, all read at one
// point:
//
//   group      column i                             the algorithm's draw u_i of mean 0 and variance 1
//   sampling   (f_i grad f_i - grad L)/sqrt(n)      (times that i was drawn - b/n) sqrt(n/b)
//   labels     sigma grad f_i/sqrt(n)               (sum of the errors drawn for i, in units of sigma) sqrt(n/b)
//     of all n at once (Sampling::full): sigma grad f_i/n,  mean error of label i over sigma/sqrt(b)
//   constant   column i of A                        the standard normal drawn
//   state      column i of A(theta)                 the standard normal drawn
//
// so that every gradient is grad L + sum_i u_i (column i)/sqrt(b). The u_i of sampling sum to 0, as the columns do:
// their covariance 1 - 1/n stands for 1.
#pragma once

#include <cmath>
#include <string>

#include "sde/loss/noise.hpp"

namespace sde {

/// The columns of independent increments that a step takes, named by what draws them.
struct Innovations {
  /// Columns first, ..., first + count - 1.
  struct Group {
    int first = 0, count = 0;
    SDE_DEVICE int end() const { return first + count; }
    bool operator==(const Group&) const = default;
  };
  Group sampling, labels, constant, state;  ///< one behind the other

  SDE_DEVICE int count() const { return state.end(); }
  bool operator==(const Innovations&) const = default;
  /// "3 of sampling, 3 of labels, 2 constant, 0 of state"
  std::string text() const;

  /// Sampling columns u_i = (times drawn) per_draw(n, b) - expected(n, b), label columns (sum of errors) per_draw(n,
  /// b).
  static double per_draw(int n, int batch) { return std::sqrt(static_cast<double>(n) / batch); }
  static double expected(int n, int batch) { return std::sqrt(static_cast<double>(batch) / n); }
};

/// What moves zeta where all residuals vanish on Gamma: there sampling draws nothing, and labels' columns grad f_i are
/// normal to Gamma, so that constant and state-dependent noise alone diffuse.
SDE_DEVICE inline Innovations innovations_on_gamma(const NoiseKind& noise) {
  Innovations all;
  all.constant = {0, noise.rank};
  all.state = {noise.rank, noise.state_rank};
  return all;
}

/// All that noise draws for a loss of n residuals, 0 where it has none.
inline Innovations all_innovations(const NoiseKind& noise, int n) {
  Innovations all;
  all.sampling = {0, noise.samples(n) ? n : 0};
  all.labels = {all.sampling.end(), noise.sigma2 > 0 ? n : 0};
  all.constant = {all.labels.end(), noise.rank};
  all.state = {all.constant.end(), noise.state_rank};
  return all;
}

/// Those of them that drive a slow SDE. The samples of a reshuffled epoch do not: their sum over the epoch cancels
/// (theory.md section 11).
inline Innovations driving_innovations(const NoiseKind& noise, int n) {
  NoiseKind driving = noise;
  if (noise.reshuffles(n)) driving.sampling = Sampling::full;
  return all_innovations(driving, n);
}

/// Throws std::invalid_argument where an algorithm with this noise cannot hand `asked` to a slow SDE: its draws have
/// other columns.
void check_recordable(const Innovations& asked, const NoiseKind& noise, int n);

}  // namespace sde
