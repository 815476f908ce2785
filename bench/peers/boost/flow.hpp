// Phi by Boost.Odeint: the gradient flow until Newton's method may take over (works.py: FLOW_POLISH), then that.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <boost/numeric/odeint.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>
#include <boost/numeric/ublas/matrix.hpp>
#include <cmath>
#include <utility>

#include "sample.hpp"

namespace odeint = boost::numeric::odeint;
namespace ublas = boost::numeric::ublas;

constexpr double kTolerance = 1e-9, kOffset = 0.02, kPolish = 1e-5;
constexpr int kNewton = 3;

/// The flow's time after which `distance` has shrunk to where the polish takes over, at the slowest rate.
inline double flow_time(double distance, double size, double slowest) {
  return std::log(distance / (kPolish * (1 + size))) / slowest;
}

/// Non-stiff: Dormand-Prince.
inline Sum ring_flow(const Share& share) {
  using Point = std::array<double, 2>;
  const auto field = [](const Point& p, Point& v, double) {
    const double rho = p[0] * p[0] + p[1] * p[1] - 1, c = 1 + kA * p[0];
    v[0] = -(kA * 0.5 * rho * rho + 2 * c * rho * p[0]);
    v[1] = -2 * c * rho * p[1];
  };
  const double time = flow_time(kOffset * std::sqrt(2.0), 1, 4 * (1 - kA * kOffset));
  Sum sum;
  for (long i = share.first; i < share.first + share.count; ++i) {
    Point p{kOffset * std::sin(static_cast<double>(i)), 1 + kOffset * std::sin(static_cast<double>(i + 1))};
    odeint::integrate_adaptive(odeint::make_controlled(kTolerance, kTolerance, odeint::runge_kutta_dopri5<Point>()),
                               field, p, 0.0, time, 0.05);
    const double r = std::hypot(p[0], p[1]);  // the Newton step along the normal, all of them at once
    sum.add(p[0] / r);
  }
  return sum;
}

/// Stiff (eigenvalues from 9e-4 to 11): Rosenbrock.
inline Sum diagonal_flow(const Share& share) {
  constexpr int N = 20, P = 20;
  using Vector = Eigen::VectorXd;
  const Eigen::Map<const Eigen::Matrix<double, N, P, Eigen::RowMajor>> X(share.arrays.X.data());
  const Eigen::Map<const Vector> y(share.arrays.y.data(), N), start(share.arrays.start.data(), 2 * P);
  const auto jacobian = [&](const Vector& x) {
    Eigen::MatrixXd J(N, 2 * P);
    J << 2 * (X * x.head(P).asDiagonal()), -2 * (X * x.tail(P).asDiagonal());
    return J;
  };
  const auto residuals = [&](const double* x) -> Vector {
    const Eigen::Map<const Eigen::ArrayXd> u(x, P), v(x + P, P);
    return X * (u.square() - v.square()).matrix() - y;
  };
  const auto field = [&](const ublas::vector<double>& x, ublas::vector<double>& out, double) {
    const Vector s = 2.0 / N * (X.transpose() * residuals(&x[0]));
    for (int k = 0; k < P; ++k) {
      out[k] = -s[k] * x[k];
      out[P + k] = s[k] * x[P + k];
    }
  };
  const auto derivative = [&](const ublas::vector<double>& x, ublas::matrix<double>& out, double,
                              ublas::vector<double>& dt) {
    const Eigen::MatrixXd J = jacobian(Eigen::Map<const Vector>(&x[0], 2 * P));
    Eigen::MatrixXd H = J.transpose() * J / N;
    const Vector s = 2.0 / N * (X.transpose() * residuals(&x[0]));
    for (int k = 0; k < P; ++k) {
      H(k, k) += s[k];
      H(P + k, P + k) -= s[k];
    }
    Eigen::Map<Eigen::Matrix<double, 2 * P, 2 * P, Eigen::RowMajor>>(&out(0, 0)) = -H;
    std::fill(dt.begin(), dt.end(), 0.0);
  };
  const auto J0 = jacobian(start);
  const double slowest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(J0 * J0.transpose() / N).eigenvalues()[0];
  const double time = flow_time(kOffset * std::sqrt(2.0 * P), start.norm(), slowest);
  Sum sum;
  for (long i = share.first; i < share.first + share.count; ++i) {
    ublas::vector<double> x(2 * P);
    for (int k = 0; k < 2 * P; ++k) x[k] = start[k] + kOffset * std::sin(static_cast<double>(i + k));
    odeint::integrate_adaptive(odeint::make_controlled<odeint::rosenbrock4<double>>(kTolerance, kTolerance),
                               std::make_pair(field, derivative), x, 0.0, time, 0.01);
    Eigen::Map<Vector> end(&x[0], 2 * P);
    for (int k = 0; k < kNewton; ++k) {
      const auto J = jacobian(end);
      end -= J.transpose() * (J * J.transpose()).llt().solve(residuals(end.data()));
    }
    sum.add(end[0]);
  }
  return sum;
}
