// Any loss, as TimeFlow asks for it, through its d x d Hessian.
#pragma once

#include <limits>

#include "sde/manifold/time_flow.hpp"
#include "sde/slow/hessian_geometry.hpp"

namespace sde::manifold {

/// A is the positive part of the Hessian at the start of a step, without what counts as zero.
template <ValueLoss L, class Team = Solo>
class HessianSystem {
 public:
  static constexpr bool kMayStall = false;
  /// `geometry`: whose storage to use. Its eigenpairs are then those of the linearized point.
  SDE_DEVICE HessianSystem(const L& loss, slow::HessianGeometry<L, double, Team>& geometry, const Team& team = {})
      : loss_(loss), team_(team), geometry_(geometry), d_(geometry.d), move_(d_, team), gradient_(d_, team) {}

  SDE_DEVICE void linearize(const double* x) {
    geometry_.linearize(x);
    loss::gradient(loss_, x, gradient_.data(), team_);
    geometry_.newton_step(gradient_.data(), move_.data());
    largest = geometry_.largest_eigenvalue();
    smallest = slope = distance = 0;
    for (int a = 0; a < d_; ++a)
      if (geometry_.eigenvalue(a) > 0) smallest = geometry_.eigenvalue(a);
    for (int k = 0; k < d_; ++k) {
      slope += gradient_[k] * gradient_[k];
      distance += move_[k] * move_[k];
    }
    slope = sqrt(slope);
    distance = sqrt(distance);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!geometry_.finite() || !(slope < infinity)) largest = slope = distance = infinity;
  }
  SDE_DEVICE void prepare(double h) { step_ = h; }
  SDE_DEVICE void euler(const double* y, double* u) {
    loss::gradient(loss_, y, gradient_.data(), team_);
    geometry_.in_eigenbasis(
        gradient_.data(), [&](int a) { return step_ / (1 + step_ * geometry_.eigenvalue(a)); }, move_.data());
    team_.each(d_, [&](int k) { u[k] -= move_[k]; });
  }
  SDE_DEVICE void newton(double* x) {
    team_.each(d_, [&](int k) { x[k] += move_[k]; });
  }

  double largest = 0, smallest = 0, distance = 0, slope = 0;

 private:
  const L& loss_;
  const Team team_;
  slow::HessianGeometry<L, double, Team>& geometry_;
  const int d_;
  Buffer<double, kDynamic, Team> move_, gradient_;
  double step_ = 0;
};

}  // namespace sde::manifold
