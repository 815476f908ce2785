// The slow SDE of the diagonal network under label noise, by Eigen: the formula of peers_network_slow.py.
#pragma once

#include <Eigen/Dense>
#include <cmath>

#include "sample.hpp"

class DiagonalSlow {
 public:
  static constexpr int N = 20, P = 20, kReturns = 4;
  using Matrix = Eigen::Matrix<double, N, P>;
  using Square = Eigen::Matrix<double, N, N>;
  using Residuals = Eigen::Matrix<double, N, 1>;
  using Features = Eigen::Matrix<double, P, 1>;

  explicit DiagonalSlow(const Arrays& data)
      : X_(Eigen::Map<const Eigen::Matrix<double, N, P, Eigen::RowMajor>>(data.X.data())), y_(data.y.data()) {
    reset(data);
  }
  void reset(const Arrays& data) {
    u = Eigen::Map<const Features>(data.start.data());
    v = Eigen::Map<const Features>(data.start.data() + P);
  }
  /// a, b: the drift of u and v.
  void drift() {
    const Features s = u.array().square() + v.array().square();
    const Square G = 4.0 / N * X_ * s.asDiagonal() * X_.transpose();
    eigen_.compute(G);
    const Eigen::Array<double, N, 1> x = 2 * kAlpha * eigen_.eigenvalues().array();
    const Residuals weights = 1 + (kWorkers - 1) * ((-x).exp() - 1 + x) / x;
    const Matrix QX = eigen_.eigenvectors().transpose() * X_;
    const Features D = -2.0 / (N * kBatch) * (QX.array().square().matrix().transpose() * weights);
    a = u.cwiseProduct(D);
    b = v.cwiseProduct(D);
    u0_ = u;
    v0_ = v;
    Features da, db;
    newton(2 * (X_ * (u.cwiseProduct(a) - v.cwiseProduct(b))), da, db);
    a -= da;
    b -= db;
  }
  void step() {
    drift();
    u += kDt * a;
    v += kDt * b;
    Features du, dv;
    for (int k = 0; k < kReturns; ++k) {
      newton(X_ * Features(u.array().square() - v.array().square()) - y_, du, dv);
      u -= du;
      v -= dv;
    }
  }
  double trace() const {
    const Features s = u.array().square() + v.array().square();
    return 4.0 / N * X_.array().square().matrix().colwise().sum().dot(s);
  }

  Features u, v, a, b;

 private:
  /// J^T (J J^T)^-1 f with J of the last drift().
  void newton(const Residuals& f, Features& du, Features& dv) const {
    const Residuals c = eigen_.eigenvectors().transpose() * f;
    const Residuals scaled = c.array() / (N * eigen_.eigenvalues().array());
    const Features s = 2 * (X_.transpose() * (eigen_.eigenvectors() * scaled));
    du = u0_.cwiseProduct(s);
    dv = -v0_.cwiseProduct(s);
  }
  const Matrix X_;
  const Eigen::Map<const Residuals> y_;
  Features u0_, v0_;
  Eigen::SelfAdjointEigenSolver<Square> eigen_;
};

inline Sum diagonal_slow(const Share& share) {
  Sum sum;
  DiagonalSlow network(share.arrays);
  for (long p = 0; p < share.count; ++p) {
    network.reset(share.arrays);
    for (int s = 0; s < kSlowSteps; ++s) network.step();
    sum.add(network.trace());
  }
  return sum;
}

inline Sum diagonal_terms(const Share& share) {
  Sum sum;
  DiagonalSlow network(share.arrays);
  for (long p = 0; p < share.count; ++p) {
    network.drift();
    sum.add(network.a[0]);
  }
  return sum;
}
