// A squared loss that interpolates on Gamma, as TimeFlow asks for it: in the space of its n residuals, nothing d x d.
#pragma once

#include "sde/manifold/time_flow.hpp"
#include "sde/slow/residual_geometry.hpp"

namespace sde::manifold {

/// grad L = J^T f/n, and A = J^T J/n at the start of the step. With G = J J^T/n there,
///   (1 + h A)^-1 J^T f/n = J^T (1 + h G)^-1 f/n:
/// an Euler step takes that with J and f of where it stands, so that it moves along the normal space there, and costs a
/// gradient and 2 n^2 products. The rest of the Hessian, sum_i f_i F_i/n, is small near Gamma and left to the
/// extrapolation.
template <SquaredLoss L, class Team = Solo>
class ResidualSystem {
 public:
  static constexpr bool kMayStall = true;  ///< at a least-squares minimum that keeps residuals
  /// `geometry`: whose storage to use. Its eigenpairs are then those of the linearized point.
  SDE_DEVICE ResidualSystem(const L& loss, slow::ResidualGeometry<L, double, Team>& geometry, const Team& team = {})
      : loss_(loss),
        team_(team),
        geometry_(geometry),
        d_(geometry.d),
        n_(geometry.n),
        factor_(n_, team),
        weights_(n_, team),
        move_(d_, team),
        gradient_(d_, team) {}

  SDE_DEVICE void linearize(const double* x) {
    geometry_.linearize(x);
    geometry_.newton_step(move_.data());
    geometry_.gradient(gradient_.data());
    largest = geometry_.largest_eigenvalue();
    smallest = 0;
    residual = slope = distance = 0;
    for (int a = 0; a < n_; ++a) {
      const double lambda = geometry_.eigenvalue(a);
      if (lambda > 0 && (smallest == 0 || lambda < smallest)) smallest = lambda;
      const double f = abs(geometry_.residuals()[a]);
      if (!(f <= residual)) residual = f;
    }
    for (int k = 0; k < d_; ++k) {
      slope += gradient_[k] * gradient_[k];
      distance += move_[k] * move_[k];
    }
    slope = sqrt(slope);
    distance = sqrt(distance);
  }
  SDE_DEVICE void prepare(double h) {
    step_ = h;
    team_.each(n_, [&](int a) { factor_[a] = 1 / (1 + h * geometry_.eigenvalue(a)); });
  }
  SDE_DEVICE void euler(const double* y, double* u) {
    geometry_.in_eigenbasis(
        geometry_.residuals_at(y), [&](int a) { return factor_[a]; }, weights_.data());
    loss::pullback(loss_, y, static_cast<const double*>(weights_.data()), move_.data(), team_);
    const double scale = step_ / n_;
    team_.each(d_, [&](int k) { u[k] -= scale * move_[k]; });
  }
  SDE_DEVICE void newton(double* x) {
    team_.each(d_, [&](int k) { x[k] += move_[k]; });
  }
  /// Whether all residuals vanish at the linearized point x with |x| = norm.
  SDE_DEVICE bool interpolates(double norm) const {
    const double scale = n_ * largest;
    return residual <= kResidualOnGamma * (1 + norm) * (scale > 1 ? sqrt(scale) : 1.0);
  }

  double largest = 0, smallest = 0, distance = 0, slope = 0;
  double residual = 0;  ///< max |f_i|

 private:
  const L& loss_;
  const Team team_;
  slow::ResidualGeometry<L, double, Team>& geometry_;
  const int d_, n_;
  Buffer<double, kDynamic, Team> factor_, weights_, move_, gradient_;
  double step_ = 0;
};

}  // namespace sde::manifold
