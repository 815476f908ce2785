#include "sde/manifold/spectrum.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>

#include "sde/model/dense_geometry.hpp"

namespace sde::manifold {

namespace {

Matrix jacobian_at(const LossModel& model, const double* x) {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> J(model.residual_count(), model.dim());
  model.jacobian(x, J.data());
  return J;
}

}  // namespace

Spectrum::Spectrum(const LossModel& model, const double* x, bool interpolating) : gradient_(model.dim()) {
  model.gradient(x, gradient_.data());
  Matrix symmetric;
  if (interpolating) {
    const int n = model.residual_count();
    jacobian_ = jacobian_at(model, x);
    const bool few = n < model.dim();
    symmetric = (few ? Matrix(jacobian_ * jacobian_.transpose()) : Matrix(jacobian_.transpose() * jacobian_)) / n;
    if (!few) jacobian_.resize(0, 0);
  } else {
    symmetric = slow::hessian(model, x);
  }
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(symmetric);
  lambda_ = solver.eigenvalues();
  vectors_ = solver.eigenvectors();
}

Vector Spectrum::direction(Eigen::Index a) const {
  return jacobian_.size() > 0 ? Vector(jacobian_.transpose() * vectors_.col(a)).normalized() : Vector(vectors_.col(a));
}

template <class Weight>
Vector Spectrum::along(const Vector& u, Weight weight) const {
  const bool few = jacobian_.size() > 0;  // v_a = J^T q_a / sqrt(n lambda_a)
  const double n = static_cast<double>(jacobian_.rows()), zero = threshold();
  Vector c = vectors_.transpose() * (few ? Vector(jacobian_ * u) : u);
  for (Eigen::Index a = 0; a < c.size(); ++a)
    c[a] *= std::abs(lambda_[a]) <= zero ? 0.0 : weight(lambda_[a]) / (few ? n * lambda_[a] : 1.0);
  const Vector sum = vectors_ * c;
  return few ? Vector(jacobian_.transpose() * sum) : sum;
}

Vector Spectrum::tangent(const Vector& u) const {
  return u - along(u, [](double) { return 1.0; });
}

Vector Spectrum::newton_step() const {
  return along(gradient_, [](double lambda) { return lambda > 0 ? -1 / lambda : 0.0; });
}

std::string small_eigenvalue(const LossModel& model, const double* x, bool interpolating) {
  const Spectrum s(model, x, interpolating);
  const Vector& lambda = s.eigenvalues();
  for (Eigen::Index a = 0; a < lambda.size(); ++a) {
    if (!(lambda[a] > kRoundingOfZero * s.largest()) || lambda[a] > s.threshold()) continue;
    const Vector v = s.direction(a);
    const double along = std::abs(v.dot(s.gradient()));
    if (!(along >= 0.9 * s.gradient().norm())) continue;
    Eigen::Index k = 0;
    v.cwiseAbs().maxCoeff(&k);
    return fmt::format(
        ": the cause is a small eigenvalue of the Hessian, {:.2g}, chiefly along coordinate {} of {}. It is {:.1g} of "
        "the "
        "largest; one below {:g} counts as zero, and the flow leaves its direction as it is. Scale the coordinate so "
        "that "
        "the eigenvalue is larger, or make the loss constant along it",
        lambda[a], k + 1, v.size(), lambda[a] / s.largest(), slow::kNullThreshold);
  }
  return "";
}

}  // namespace sde::manifold
