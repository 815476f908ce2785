// The slow-SDE terms of any loss at one point through its dense d x d Hessian and third derivatives along eigenvectors:
// the general path (losses that are not interpolating squared losses) and the independent check of the residual one.
// In reshuffled epochs (Sampling::without_replacement) sampling is no part of Sigma, but drifts SGD, beside drift-I, by
//   -(1/4) P_par grad E |xi|^2,  E |xi|^2 = (n-b)/(b(n-1)) tr Cov_i[grad l_i]      (theory.md section 11)
#pragma once

#include "sde/model/model.hpp"

namespace sde::slow {

/// Sigma(x) of one sample, d x d, exactly, anywhere.
/// `batch` > 1 matters only without replacement, where it carries the factor (n - b)/(n - 1) of b draws from n.
Matrix covariance(const LossModel& model, const Noise& noise, const double* x, int batch = 1);

/// Hess(x), d x d.
Matrix hessian(const LossModel& model, const double* x);

/// The terms of any loss at a point, by its dense Hessian: d x d matrices, O(d^3).
class DenseGeometry final : public PointTerms {
 public:
  DenseGeometry(const LossModel& model, const Noise& noise);
  /// From the next compute() on in the metric diag(root^2) (theory.md section 10): eigenpairs and matrices are those of
  /// phi = theta/root, vectors that are taken or returned are those of theta. Not in reshuffled epochs.
  void set_metric(Vector root);
  void compute(const double* x) override;
  Vector normal_eigenvalues() const override;
  Vector contraction(Term term, const Parameters& p) override;
  Vector ito_normal(double batch) override;
  Matrix tangent_noise() const override;
  Matrix matrix(Term term, const Parameters& p) const override;
  Vector gradient_of_trace() override;
  void project(double* u) const override;
  Vector newton_step() override;

  // The interface of the stepping loop (slow_sde.hpp).
  void contract(Term term, const Parameters& p, double* out);
  template <class Draw>
  void diffuse(double scale, Draw&& xi, double* out) const {
    for (Eigen::Index s = 0; s < columns_.cols(); ++s) {
      const double step = scale * xi();
      for (int k = 0; k < d; ++k) out[k] += step * (in_metric() ? root_[k] * columns_(k, s) : columns_(k, s));
    }
  }
  Innovations innovations() const { return innovations_; }
  int noise_dimension() const { return innovations_.count(); }
  /// Newton along the normal space at the last computed point; true if it did not converge.
  bool retract(double* x);

 private:
  Vector third(const Matrix& of_phi) const;
  bool in_metric() const { return root_.size() > 0; }
  Matrix scaled_hessian(const double* x) const;
  Vector scaled_gradient(const double* x) const;
  void project_in_phi(double* u) const;
  /// u *= root
  void to_theta(double* u) const;

 public:
  const int d;

 private:
  const LossModel& model_;
  const Noise noise_;
  const Innovations innovations_;
  Vector root_;  ///< of the metric; empty: none
  Vector x_, lambda_;
  Matrix vectors_, sigma_, columns_;  ///< eigenvectors; Sigma in that basis; P_par A
  Vector reshuffling_;                ///< grad tr of the sampling noise; empty but in reshuffled epochs
  int null_ = 0;                      ///< tangent eigenvalues come first
};

/// The stepping loop over lanes through DenseGeometry, for losses without the residual structure.
std::unique_ptr<SlowKernel> dense_slow_kernel(const LossModel& model, const Noise& noise);
/// The slow SDE's kernel of a loss: of its residuals where they vanish on Gamma (`interpolating`), else the dense one,
/// in double.
std::unique_ptr<SlowKernel> slow_kernel(const LossModel& model, const Noise& noise, bool interpolating,
                                        Precision precision = Precision::full);

}  // namespace sde::slow
