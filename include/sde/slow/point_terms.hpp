// The slow-SDE terms at one point, behind one interface: what `sde terms`, the observables, the flow map's polish and
// the slow ODEs ask for. Two independent implementations: through the residuals (residual_geometry.hpp) and through the
// dense Hessian of any loss (dense_geometry.hpp).
#pragma once

#include <Eigen/Core>

#include "sde/slow/psi.hpp"

namespace sde::slow {

/// d entries.
using Vector = Eigen::VectorXd;
/// d x d entries.
using Matrix = Eigen::MatrixXd;

/// All vectors have d entries; call compute(x) first. Off Gamma the terms are those of the formulas evaluated at x.
class PointTerms {
 public:
  virtual ~PointTerms() = default;
  virtual void compute(const double* x) = 0;
  /// Eigenvalues of the normal space (the non-zero ones of the Hessian), ascending.
  virtual Vector normal_eigenvalues() const = 0;
  /// -P_par D3L[M] with M weighted by `term` (psi.hpp): with Term::drift_1 and drift_2, the two drifts.
  virtual Vector contraction(Term term, const Parameters& p) = 0;
  /// -1/(2B) pinv(Hess) D3L[Sigma_par]: the normal drift in ambient Ito form.
  virtual Vector ito_normal(double batch) = 0;
  /// Columns of P_par A: Sigma_par is this matrix times its transpose.
  virtual Matrix tangent_noise() const = 0;
  /// The d x d matrix M (Sigma_hat, Psi_hat).
  virtual Matrix matrix(Term term, const Parameters& p) const = 0;
  /// P_par grad tr Hess.
  virtual Vector gradient_of_trace() = 0;
  virtual void project(double* u) const = 0;
  /// Newton step towards Gamma along the normal space, to be added to x.
  virtual Vector newton_step() = 0;

  double trace_hessian() const { return normal_eigenvalues().sum(); }
  double lambda_max() const {
    const Vector all = normal_eigenvalues();
    return all.size() > 0 ? all.maxCoeff() : 0;  // none where the rank is 0
  }
};

}  // namespace sde::slow
