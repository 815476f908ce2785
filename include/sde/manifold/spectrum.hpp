// The Hessian's eigenpairs at one point, those that count as zero and the negative ones among them: what says whether
// the theory applies there (findings.hpp). The terms and the flow map keep the positive ones alone.
#pragma once

#include "sde/model/model.hpp"

namespace sde::manifold {

using slow::Matrix;
using slow::Vector;

/// An eigenvalue below this multiple of the largest may be what rounding makes of a zero: it leaves some 1e-16, the
/// distance at which the flow ends some 1e-13 times the third derivative.
inline constexpr double kRoundingOfZero = 1e-12;

/// Of J^T J/n where residuals vanish on Gamma, which is the Hessian there: the min(n, d) eigenvalues that may be other
/// than zero, through the smaller of J J^T and J^T J. Else all d of the dense Hessian.
class Spectrum {
 public:
  Spectrum(const LossModel& model, const double* x, bool interpolating);
  /// Ascending.
  const Vector& eigenvalues() const { return lambda_; }
  /// The largest |eigenvalue|.
  double largest() const { return lambda_.size() > 0 ? lambda_.cwiseAbs().maxCoeff() : 0; }
  /// Below this |eigenvalue| one counts as zero: kNullThreshold times the largest.
  double threshold() const { return slow::kNullThreshold * largest(); }
  /// grad L, d entries.
  const Vector& gradient() const { return gradient_; }
  /// The unit eigenvector of eigenvalue number `a`, d entries.
  Vector direction(Eigen::Index a) const;
  /// d entries: without their parts along the eigenvectors that count.
  Vector tangent(const Vector& u) const;
  /// d entries: to Gamma along the eigenvectors of positive eigenvalues that count.
  Vector newton_step() const;

 private:
  /// sum_a weight(lambda_a) <v_a, u> v_a over the eigenvectors v_a of eigenvalues that are not zero.
  template <class Weight>
  Vector along(const Vector& u, Weight weight) const;
  Vector lambda_, gradient_;
  Matrix vectors_;   ///< columns: eigenvectors of the Hessian, or of J J^T/n
  Matrix jacobian_;  ///< n x d where the columns are of J J^T/n, else empty
};

/// Why a gradient that should vanish does not, where nearly all of it is along one eigenvector that counts as tangent
/// but whose eigenvalue is not that of rounding: the flow leaves it as it is. Begins with ": "; empty where that is not
/// the reason.
std::string small_eigenvalue(const LossModel& model, const double* x, bool interpolating);

}  // namespace sde::manifold
