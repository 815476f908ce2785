#include "sde/model/dense_geometry.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>

namespace sde::slow {

Matrix hessian(const LossModel& model, const double* x) {
  const int d = model.dim();
  Matrix H(d, d);
  Vector e = Vector::Zero(d);
  for (int j = 0; j < d; ++j) {
    e[j] = 1;
    model.hessian_vector(x, e.data(), H.col(j).data());
    e[j] = 0;
  }
  return 0.5 * (H + H.transpose());
}

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The columns `all` of a factor of Sigma (loss/innovations.hpp).
Matrix noise_factor(const LossModel& model, const Noise& noise, const Innovations& all, const double* x, int batch) {
  const int d = model.dim(), n = model.residual_count();
  Matrix A(d, all.count());
  if (all.sampling.count + all.labels.count > 0) {
    RowMajor J(n, d);
    Vector f(n);
    model.jacobian(x, J.data());
    model.residuals(x, f.data());
    const double root = std::sqrt(static_cast<double>(n));
    if (all.sampling.count > 0) {
      const Vector mean = J.transpose() * f / n;
      const double finite =
          noise.sampling == Sampling::without_replacement ? std::sqrt(double(n - batch) / double(n - 1)) : 1.0;
      for (int i = 0; i < n; ++i) A.col(all.sampling.first + i) = finite / root * (f[i] * J.row(i).transpose() - mean);
    }
    for (int i = 0; i < all.labels.count; ++i)
      A.col(all.labels.first + i) = std::sqrt(noise.label_scale(n)) / root * J.row(i).transpose();
  }
  const auto view = noise.view();
  for (int s = 0; s < noise.columns(); ++s)
    for (int k = 0; k < d; ++k) A(k, all.constant.first + s) = view.entry(d, s, k, x);
  return A;
}

/// grad tr Cov_i[grad l_i] at a stationary point x, l_i = f_i^2 / 2.
Vector gradient_of_sampling_noise(const LossModel& model, const double* x) {
  const int d = model.dim(), n = model.residual_count();
  RowMajor J(n, d);
  Vector f(n), w = Vector::Zero(n), curved(d), sum = Vector::Zero(d);
  model.jacobian(x, J.data());
  model.residuals(x, f.data());
  for (int i = 0; i < n; ++i) {  // grad |f_i grad f_i|^2 / 2
    const Vector slope = J.row(i);
    w[i] = f[i] * f[i];
    model.weighted_hessian_vector(x, w.data(), slope.data(), curved.data());
    w[i] = 0;
    sum += f[i] * slope.squaredNorm() * slope + curved;
  }
  return 2.0 / n * sum;
}

}  // namespace

Matrix covariance(const LossModel& model, const Noise& noise, const double* x, int batch) {
  const Matrix A = noise_factor(model, noise, all_innovations(noise, model.residual_count()), x, batch);
  return A * A.transpose();
}

DenseGeometry::DenseGeometry(const LossModel& model, const Noise& noise)
    : d(model.dim()),
      model_(model),
      noise_(noise),
      innovations_(driving_innovations(noise, model.residual_count())),
      x_(d) {
  noise.check(d, model.residual_count());
}

void DenseGeometry::set_metric(Vector root) { root_ = std::move(root); }

void DenseGeometry::compute(const double* x) {
  x_ = Eigen::Map<const Vector>(x, d);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(scaled_hessian(x));
  lambda_ = solver.eigenvalues();
  vectors_ = solver.eigenvectors();
  const double threshold = kNullThreshold * lambda_.cwiseAbs().maxCoeff();
  null_ = static_cast<int>(std::count_if(lambda_.begin(), lambda_.end(), [&](double l) { return l <= threshold; }));
  for (int i = 0; i < null_; ++i) lambda_[i] = 0;
  Matrix A = noise_factor(model_, noise_, innovations_, x, 1);
  if (in_metric()) A = root_.asDiagonal() * A;
  const Matrix rotated = vectors_.transpose() * A;
  sigma_ = rotated * rotated.transpose();
  columns_ = vectors_.leftCols(null_) * rotated.topRows(null_);
  if (noise_.reshuffles(model_.residual_count())) reshuffling_ = gradient_of_sampling_noise(model_, x);
}

Matrix DenseGeometry::scaled_hessian(const double* x) const {
  Matrix H = hessian(model_, x);
  return in_metric() ? Matrix(root_.asDiagonal() * H * root_.asDiagonal()) : H;
}
void DenseGeometry::to_theta(double* u) const {
  if (in_metric()) Eigen::Map<Vector>(u, d).array() *= root_.array();
}
Vector DenseGeometry::scaled_gradient(const double* x) const {
  Vector g(d);
  model_.gradient(x, g.data());
  to_theta(g.data());  // the chain rule, by the same factors
  return g;
}

Vector DenseGeometry::normal_eigenvalues() const { return lambda_.tail(d - null_); }

Matrix DenseGeometry::matrix(Term term, const Parameters& p) const {
  Matrix M = Matrix::Zero(d, d);
  for (int i = 0; i < d; ++i)
    for (int j = 0; j < d; ++j)
      if (i >= null_ || j >= null_) M(i, j) = weight(term, p, lambda_[i], lambda_[j]) * sigma_(i, j);
  return vectors_ * M * vectors_.transpose();
}

/// D3L[M] = sum_r mu_r D3L[u_r u_r^T] over the eigenpairs of M, in phi.
Vector DenseGeometry::third(const Matrix& of_phi) const {
  const Matrix M = in_metric() ? Matrix(root_.asDiagonal() * of_phi * root_.asDiagonal()) : of_phi;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(M);
  Vector sum = Vector::Zero(d), one(d);
  const double cut = 1e-16 * solver.eigenvalues().cwiseAbs().maxCoeff();
  for (int r = 0; r < d; ++r) {
    if (std::abs(solver.eigenvalues()[r]) <= cut) continue;
    const Vector u = solver.eigenvectors().col(r);
    model_.third_along(x_.data(), u.data(), one.data());
    sum += solver.eigenvalues()[r] * one;
  }
  to_theta(sum.data());
  return sum;
}

Vector DenseGeometry::contraction(Term term, const Parameters& p) {
  Vector out = -third(matrix(term, p));
  if (reshuffling_.size() > 0 && (term == Term::drift_1 || term == Term::drift)) {
    const double n = model_.residual_count();
    out -= p.factors.drift_1 * 0.25 * (n - p.batch) / (p.batch * (n - 1)) * reshuffling_;
  }
  project_in_phi(out.data());
  to_theta(out.data());
  return out;
}

void DenseGeometry::contract(Term term, const Parameters& p, double* out) {
  Eigen::Map<Vector>(out, d) = contraction(term, p);
}

Vector DenseGeometry::ito_normal(double batch) {
  const auto normal = vectors_.rightCols(d - null_);
  const Vector t = third(columns_ * columns_.transpose());
  Vector out = (-0.5 / batch) * (normal * (normal.transpose() * t).cwiseQuotient(lambda_.tail(d - null_)));
  to_theta(out.data());
  return out;
}

Matrix DenseGeometry::tangent_noise() const { return in_metric() ? Matrix(root_.asDiagonal() * columns_) : columns_; }

Vector DenseGeometry::gradient_of_trace() {
  Vector out = third(Matrix::Identity(d, d));
  project_in_phi(out.data());
  to_theta(out.data());
  return out;
}

void DenseGeometry::project(double* u) const {
  if (in_metric()) Eigen::Map<Vector>(u, d).array() /= root_.array();
  project_in_phi(u);
  to_theta(u);
}
void DenseGeometry::project_in_phi(double* u) const {
  Eigen::Map<Vector> v(u, d);
  const auto tangent = vectors_.leftCols(null_);
  v = (tangent * (tangent.transpose() * v)).eval();
}

Vector DenseGeometry::newton_step() {
  const Vector g = scaled_gradient(x_.data());
  const auto normal = vectors_.rightCols(d - null_);
  Vector out = -(normal * (normal.transpose() * g).cwiseQuotient(lambda_.tail(d - null_)));
  to_theta(out.data());
  return out;
}

bool DenseGeometry::retract(double* x) {
  const auto normal = vectors_.rightCols(d - null_);
  Eigen::Map<Vector> y(x, d);
  const double largest = lambda_.maxCoeff(), tolerance = 1e-14 * std::max(1.0, largest);
  double previous = std::numeric_limits<double>::infinity();
  // A chord iteration with the eigenvalues at the start; where it is slow, Newton with the Hessian at hand.
  Matrix reduced = lambda_.tail(d - null_).asDiagonal();
  Eigen::PartialPivLU<Matrix> solver(reduced);
  for (int iteration = 0; iteration < 60; ++iteration) {
    const Vector g = scaled_gradient(x);
    const Vector c = normal.transpose() * g;
    const double size = c.norm();
    if (!(size < 1e150)) return true;
    // Where a normal misses Gamma the loss has a minimum along it, and falls beside it.
    if (size <= tolerance || (size < 1e-10 && size >= 0.5 * previous)) return g.norm() > 1e-9 * std::max(1.0, largest);
    if (size > 0.3 * previous) {
      reduced = normal.transpose() * scaled_hessian(x) * normal;
      solver.compute(reduced);
    }
    previous = size;
    Vector move = normal * solver.solve(c);
    to_theta(move.data());
    y -= move;
  }
  return true;
}

namespace {

class DenseSlowKernel final : public SlowKernel {
 public:
  DenseSlowKernel(const LossModel& model, const Noise& noise)
      : geometry_(model, noise), x_(model.dim()), move_(model.dim()) {}
  unsigned advance(LaneState x, const random::StreamKey& key, const Steps& steps) override {
    return each_lane(x, [&](int l, bool& lost) {
      auto lane_key = key;
      lane_key.path += static_cast<std::uint32_t>(l);
      slow::advance<DenseGeometry, double>(geometry_, x_.data(), move_.data(), lane_key, steps, lost);
    });
  }
  Innovations innovations() const override { return geometry_.innovations(); }
  unsigned step(LaneState x, const Parameters& p, double dt, const double* xi, double* martingale) override {
    return each_lane(x, [&](int l, bool& lost) {
      const auto column = [&](int s) { return xi[kLanes * s + l]; };
      slow::given_step(geometry_, x_.data(), move_.data(), p, dt, column, lost);
      slow::martingale(geometry_, p, dt, column, move_.data());
      for (int k = 0; k < geometry_.d; ++k) martingale[k * kLanes + l] = move_[k];
    });
  }

 private:
  template <class Move>
  unsigned each_lane(LaneState x, Move move) {
    unsigned bits = 0;
    for (int l = 0; l < kLanes; ++l) {
      for (int k = 0; k < geometry_.d; ++k) x_[k] = x[k * kLanes + l];
      bool lost = !x_.allFinite();
      if (!lost) move(l, lost);
      for (int k = 0; k < geometry_.d; ++k) x[k * kLanes + l] = x_[k];
      bits |= static_cast<unsigned>(lost) << l;
    }
    return bits;
  }
  DenseGeometry geometry_;
  Vector x_, move_;
};

}  // namespace

std::unique_ptr<SlowKernel> dense_slow_kernel(const LossModel& model, const Noise& noise) {
  return std::make_unique<DenseSlowKernel>(model, noise);
}
std::unique_ptr<SlowKernel> slow_kernel(const LossModel& model, const Noise& noise, bool interpolating,
                                        Precision precision) {
  if (interpolating) return model.residual_slow_kernel(noise, precision);
  if (auto kernel = model.hessian_slow_kernel(noise)) return kernel;
  return dense_slow_kernel(model, noise);
}

}  // namespace sde::slow
