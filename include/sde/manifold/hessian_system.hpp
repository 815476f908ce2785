// Any loss, as TimeFlow asks for it, through its d x d Hessian.
#pragma once

#include <limits>

#include "sde/manifold/time_flow.hpp"
#include "sde/slow/hessian_geometry.hpp"

namespace sde::manifold {

/// A is the positive part of the Hessian at the start of a step, without what counts as zero. Off Gamma, at a distance
/// delta, tangent eigenvalues are of the order of delta and not zero: a Newton step that divides by them would move by
/// delta along Gamma. So the polish has to know the rank on Gamma (polish_across).
template <ValueLoss L, class Team = Solo>
class HessianSystem {
 public:
  static constexpr bool kMayStall = false;
  /// `geometry`: whose storage to use. Its eigenpairs are then those of the linearized point.
  SDE_DEVICE HessianSystem(const L& loss, slow::HessianGeometry<L, double, Team>& geometry, const Team& team = {})
      : loss_(loss),
        team_(team),
        geometry_(geometry),
        d_(geometry.d),
        move_(d_, team),
        gradient_(d_, team),
        kept_(d_, team) {}

  SDE_DEVICE void linearize(const double* x) {
    geometry_.linearize(x);
    loss::gradient(loss_, x, gradient_.data(), team_);
    normal_ = 0;
    while (normal_ < d_ && normal_ != rank && geometry_.eigenvalue(normal_) > 0) ++normal_;
    geometry_.in_eigenbasis(
        gradient_.data(), [&](int a) { return a < normal_ ? -1 / geometry_.eigenvalue(a) : 0.0; }, move_.data());
    largest = geometry_.largest_eigenvalue();
    smallest = normal_ > 0 ? geometry_.eigenvalue(normal_ - 1) : 0;
    slope = distance = 0;
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

  /// Keeps x[d], and gives it back.
  SDE_DEVICE void keep(const double* x) {
    team_.each(d_, [&](int k) { kept_[k] = x[k]; });
  }
  SDE_DEVICE void give_kept(double* x) const {
    team_.each(d_, [&](int k) { x[k] = kept_[k]; });
  }
  /// Directions across Gamma at the linearized point.
  SDE_DEVICE int normal_count() const { return normal_; }

  double largest = 0, smallest = 0, distance = 0, slope = 0;
  int rank = kDynamic;  ///< of the Hessian on Gamma, where it is known: not more of the largest eigenvalues count

 private:
  const L& loss_;
  const Team team_;
  slow::HessianGeometry<L, double, Team>& geometry_;
  const int d_;
  Buffer<double, kDynamic, Team> move_, gradient_, kept_;
  double step_ = 0;
  int normal_ = 0;
};

/// TimeFlow::polish() that leaves the gradient-flow fibre by O(delta^2) only: once as far as it goes, which tells the
/// rank on Gamma, and where that is less than it was, again from where it began, across Gamma alone.
template <class Time, class System>
SDE_DEVICE bool polish_across(Time& time, System& system, double* x) {
  system.keep(x);
  const int off_gamma = system.normal_count();
  bool polished = time.polish(system, x);
  if (!polished || system.normal_count() >= off_gamma) return polished;
  system.rank = system.normal_count();
  system.give_kept(x);
  system.linearize(x);
  polished = time.polish(system, x);
  system.rank = kDynamic;
  return polished;
}

}  // namespace sde::manifold
