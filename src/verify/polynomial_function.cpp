#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <map>

#include "sde/verify/test_function.hpp"

namespace sde::verify {

namespace {

using slow::Matrix;

/// x^T Q x + l . x + a constant, in the coordinates that occur.
struct Quadratic {
  std::vector<int> coordinates;  ///< ascending
  Matrix Q;
  Vector l;
};

std::optional<Quadratic> quadratic(const ensemble::Polynomial& p) {
  Quadratic q;
  for (const auto& term : p.terms)
    for (const auto& [k, power] : term.powers) q.coordinates.push_back(k);
  std::sort(q.coordinates.begin(), q.coordinates.end());
  q.coordinates.erase(std::unique(q.coordinates.begin(), q.coordinates.end()), q.coordinates.end());
  const auto n = static_cast<Eigen::Index>(q.coordinates.size());
  const auto place = [&](int k) {
    return std::lower_bound(q.coordinates.begin(), q.coordinates.end(), k) - q.coordinates.begin();
  };
  q.Q = Matrix::Zero(n, n);
  q.l = Vector::Zero(n);
  for (const auto& term : p.terms) {
    std::vector<int> factors;
    for (const auto& [k, power] : term.powers) {
      if (power > 2) return std::nullopt;
      factors.insert(factors.end(), static_cast<std::size_t>(power), k);
    }
    if (factors.size() > 2) return std::nullopt;
    if (factors.size() == 1) q.l[place(factors[0])] += term.coefficient;
    if (factors.size() < 2) continue;
    const auto i = place(factors[0]), j = place(factors[1]);
    q.Q(i, j) += 0.5 * term.coefficient;
    q.Q(j, i) += 0.5 * term.coefficient;
  }
  return q;
}

/// u, w with x^T Q x = (u.x)(w.x), where Q has such.
bool factor(const Matrix& Q, Vector& u, Vector& w) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(Q);
  const auto& mu = solver.eigenvalues();  // ascending
  const double small = 1e-12 * mu.cwiseAbs().maxCoeff();
  const auto n = mu.size();
  const Eigen::Index negative = (mu.array() < -small).count(), positive = (mu.array() > small).count();
  if (negative > 1 || positive > 1) return false;
  const Vector a = std::sqrt(std::max(mu[n - 1], 0.0)) * solver.eigenvectors().col(n - 1);
  const Vector b = std::sqrt(std::max(-mu[0], 0.0)) * solver.eigenvectors().col(0);
  // mu_1 (v_1.x)^2 - mu_2 (v_2.x)^2 = (a.x + b.x)(a.x - b.x), of which one may be missing
  if (positive == 0) {
    u = -b;
    w = b;
  } else if (negative == 0) {
    u = w = a;
  } else {
    u = a + b;
    w = a - b;
  }
  return true;
}

}  // namespace

std::optional<TestFunction> test_function(const ensemble::Polynomial& p) {
  const auto q = quadratic(p);
  if (!q || q->coordinates.empty()) return std::nullopt;
  const auto whole = [&](const Vector& part) {
    Vector all = Vector::Zero(q->coordinates.back() + 1);
    for (Eigen::Index i = 0; i < part.size(); ++i) all[q->coordinates[static_cast<std::size_t>(i)]] = part[i];
    return all;
  };
  TestFunction g{.name = p.text};
  if (q->Q.cwiseAbs().maxCoeff() == 0) {
    if (q->l.cwiseAbs().maxCoeff() == 0) return std::nullopt;
    g.u = whole(q->l);
    return g;
  }
  Vector u, w;
  if (!factor(q->Q, u, w)) return std::nullopt;
  g.u = whole(u);
  g.w = whole(w);
  if (q->l.cwiseAbs().maxCoeff() == 0) return g;
  // (u.(x - c))(w.(x - c)) has the linear part -(w.c) u - (u.c) w: c exists where l lies in the span of u and w.
  const auto n = u.size();
  Matrix to_linear(n, n);
  for (Eigen::Index k = 0; k < n; ++k) to_linear.col(k) = -(w[k] * u + u[k] * w);
  const Vector c = to_linear.completeOrthogonalDecomposition().solve(q->l);
  if ((to_linear * c - q->l).norm() > 1e-9 * q->l.norm()) return std::nullopt;
  g.centre = whole(c);
  return g;
}

}  // namespace sde::verify
