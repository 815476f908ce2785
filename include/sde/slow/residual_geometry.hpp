// The slow-SDE terms of an interpolating squared loss (all residuals vanish on Gamma) at a point of Gamma, through the
// n x n eigenproblem of G = J J^T / n: nothing here is d x d. Runs on doubles and on packs.
//
// On Gamma Hess = J^T J / n, with eigenpairs lambda_a = those of G and v_a = J^T q_a / sqrt(n lambda_a); all other
// directions are tangent. With f = 0,  P_par D3L[M] = (2/n) P_par sum_i F_i M grad f_i  (F_i = Hessian of f_i; the
// other terms of the third derivative are normal), and grad f_i = sqrt(n) sum_a sqrt(lambda_a) q_a[i] v_a.
#pragma once

#include "sde/core/symmetric_eigen.hpp"
#include "sde/loss/derivatives.hpp"
#include "sde/loss/noise.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {

/// When Newton's method along the normal space stops: |f_i| below `tolerance`, relative to the gradients' size.
/// Rounding in f can keep the last digits moving, so after most_iterations `slack` times as much still counts as
/// converged.
template <class T>
struct Retraction {
  static constexpr double tolerance = 18 * epsilon_of<T>;
  static constexpr double slack = sizeof(scalar_of<T>) == 8 ? 1e4 : 50;
  static constexpr int most_iterations = 60;
};

template <SquaredLoss L, class T, class Team = Solo>
class ResidualGeometry {
  static constexpr int D = dim_of<L>, N = residuals_of<L>;

 public:
  SDE_DEVICE ResidualGeometry(const L& loss, const NoiseView<scalar_of<T>>& noise, const Team& team = {})
      : loss_(loss),
        noise_(noise),
        team_(team),
        d(loss.dim()),
        n(loss.residual_count()),
        r(noise.columns()),
        f(n, team),
        J(n * d, team),
        gram(n * n, team),
        Q(n * n, team),
        V(n * d, team),
        lambda(n, team),
        root(n, team),
        eigen_work_(kEigenWork * n, team),
        modes_(n, team),
        y(d, team),
        z(d, team),
        c(n, team),
        newton(n, team),
        solved_(n, team),
        along_(n, team),
        held_(kAlone<Team> ? int(d) : 0, team),
        A(r * d, team),
        C(n * r, team) {}

  /// J, and the eigenpairs of G, at x[d]: all that in_eigenbasis() and newton_step() ask for.
  SDE_DEVICE void linearize(const T* x) {
    x_ = x;
    loss::jacobian(loss_, x, J.data(), team_);
    // The Gram matrix, and below V, in blocks: several sums at a time, each in its order.
    team_.each(n * count(n, kRows), [&](int block) {
      const int i = block / count(n, kRows), first = block % count(n, kRows) * kRows;
      if (first > i) return;
      if (first + kRows <= n)
        gram_block<kRows>(i, first);
      else
        for (int j = first; j <= i; ++j) gram_block<1>(i, j);
    });
    symmetric_eigen(n, gram.data(), Q.data(), lambda.data(), eigen_work_.data(), team_);
    largest = lambda[0];
    for (int a = 1; a < n; ++a) largest = select(largest < lambda[a], lambda[a], largest);
    const T threshold = largest * T(kNullThresholdOf<T>);
    team_.each(n, [&](int a) {
      const auto normal = lambda[a] > threshold;
      lambda[a] = select(normal, lambda[a], T(0.0));
      root[a] = sqrt(lambda[a]);
      newton[a] = select(normal, T(1.0) / (select(normal, root[a], T(1.0)) * T(std::sqrt(double(n)))), T(0.0));
    });
  }

  /// Evaluates everything that the calls below share, at x[d] on Gamma.
  SDE_DEVICE void compute(const T* x) {
    linearize(x);
    team_.each(n * count(d, kColumns), [&](int block) {
      const int a = block / count(d, kColumns), first = block % count(d, kColumns) * kColumns;
      if (first + kColumns <= d)
        normal_block<kColumns>(a, first);
      else
        for (int k = first; k < d; ++k) normal_block<1>(a, k);
    });
    if (r > 0) {
      team_.each(r * d, [&](int entry) { A[entry] = noise_.entry(d, entry / d, entry % d, x); });
      team_.each(r, [&](int s) {
        for (int a = 0; a < n; ++a) C[a * r + s] = dot(&V[a * d], &A[s * d]);
        for (int a = 0; a < n; ++a)
          for (int k = 0; k < d; ++k) A[s * d + k] -= C[a * r + s] * V[a * d + k];  // now the column of P_par A
      });
    }
  }

  /// out[d] = -P_par D3L[M], M = sum over pairs of weight(term) <v_i, Sigma_dia v_j> v_i v_j^T.
  SDE_DEVICE void contract(Term term, const Prepared& p, T* out) {
    const double label = noise_.label_scale(n);
    team_.each(n, [&](int a) { modes_[a] = mode(p, lambda[a]); });
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    const T scale = T(-2.0) / sqrt(T(double(n)));
    for (int a = 0; a < n; ++a) {
      // y = M v_a: the normal block, then the tangent-normal one.
      team_.strided(d, [&](int k) { y[k] = T(0.0); });
      for (int b = 0; b < n; ++b) {
        if (r == 0 && a != b) continue;
        T s = T(0.0);
        if (a == b) s += lambda[a] * T(label);
        for (int q = 0; q < r; ++q) s += C[a * r + q] * C[b * r + q];
        const T m = guarded(term, p, modes_[a], modes_[b]) * s;
        team_.strided(d, [&](int k) { y[k] += m * V[b * d + k]; });
      }
      if (r > 0) {
        const T m = guarded(term, p, modes_[a], Mode<T>{});
        for (int q = 0; q < r; ++q) {
          const T mc = m * C[a * r + q];
          team_.strided(d, [&](int k) { y[k] += mc * A[q * d + k]; });
        }
      }
      add_hessian_product(a, scale, out);
    }
    project(out);
  }

  /// out[d] = P_par grad tr Hess = P_par D3L[I]: the contraction with M = the identity on the normal space.
  SDE_DEVICE void gradient_of_trace(T* out) {
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    for (int a = 0; a < n; ++a) {
      team_.strided(d, [&](int k) { y[k] = V[a * d + k]; });
      add_hessian_product(a, T(2.0) / sqrt(T(double(n))), out);
    }
    project(out);
  }

  /// out[d] = -1/(2B) pinv(Hess) D3L[Sigma_par]. For tangent u, D3L[u u^T] = (1/n) sum_i grad f_i (u^T F_i u), so it is
  /// J^+ applied to (F_i : Sigma_par), with one pass over the residuals for each column of the noise.
  SDE_DEVICE void ito_normal(double batch, T* out) {
    team_.each(n, [&](int i) { f[i] = T(0.0); });
    for (int s = 0; s < r; ++s) {
      loss::curvature(loss_, x_, &A[s * d], c.data(), team_);
      team_.each(n, [&](int i) { f[i] += c[i]; });
    }
    pseudo_inverse(f.data(), T(-0.5 / batch), out);
  }
  /// out[d] = the diagonal of Sigma_par / B.
  SDE_DEVICE void diffusion(double batch, T* out) const {
    team_.each(d, [&](int k) {
      T sum = T(0.0);
      for (int s = 0; s < r; ++s) sum += A[s * d + k] * A[s * d + k];
      out[k] = sum / T(batch);
    });
  }

  /// out[n] = Q diag(scale(a)) Q^T w: a function of G applied to w[n]. out may be w.
  template <class Scale>
  SDE_DEVICE void in_eigenbasis(const T* w, Scale scale, T* out) {
    components(w, [&](int a, T along) { return scale(a) * along; }, c.data());
    team_.each(n, [&](int i) {
      T sum = Q[i] * c[0];
      for (int a = 1; a < n; ++a) sum += Q[a * n + i] * c[a];
      out[i] = sum;
    });
  }
  /// out[d] = -J^+ f at the point of linearize(): the Newton step to Gamma along the normal space. f is left holding
  /// the residuals.
  SDE_DEVICE void newton_step(T* out) {
    loss::residuals(loss_, x_, f.data(), team_);
    pseudo_inverse(f.data(), T(-1.0), out);
  }

  /// u <- P_par u.
  SDE_DEVICE void project(T* u) const {
    if constexpr (kAlone<Team>) {
      // Each normal is read once: V is larger than the first-level cache.
      for (int k = 0; k < d; ++k) held_[k] = u[k];
      for (int a = 0; a < n; ++a) subtract_normal(a, dot(&V[a * d], held_.data()), u);
    } else {
      team_.each(n, [&](int a) { along_[a] = dot(&V[a * d], u); });
      subtract_normals(u);
    }
  }

  /// out[d] += scale * P_par A xi, whose covariance is scale^2 Sigma_par when xi ~ (0, I). xi() gives the next
  /// component.
  template <class Draw>
  SDE_DEVICE void diffuse(T scale, Draw&& xi, T* out) const {
    for (int s = 0; s < r; ++s) {
      const T step = scale * xi();
      team_.strided(d, [&](int k) { out[k] += step * A[s * d + k]; });
    }
    team_.sync();
  }
  SDE_DEVICE int noise_dimension() const { return r; }

  /// Retraction: x <- the point of Gamma in x + span of the normal space at `x` as last computed, by Newton's method
  /// with that point's Jacobian (a chord iteration). Agrees with Phi to second order on tangent steps. Converged lanes
  /// are left alone, so no lane depends on another. Returns the lanes that did not converge.
  SDE_DEVICE auto retract(T* x) {
    const T tolerance = T(Retraction<T>::tolerance) * (T(1.0) + root_largest() * T(double(n)));
    auto open = abs(largest) < T(0.0);
    for (int iteration = 0; iteration < Retraction<T>::most_iterations; ++iteration) {
      open = !(largest_residual(x) <= tolerance);
      if (!any(open)) return open;
      components(f.data(), [&](int a, T along) { return select(open, along * newton[a], T(0.0)); }, along_.data());
      subtract_normals(x);
    }
    return !(largest_residual(x) <= tolerance * T(Retraction<T>::slack));
  }

  SDE_DEVICE T trace() const {
    T sum = lambda[0];
    for (int a = 1; a < n; ++a) sum += lambda[a];
    return sum;
  }

 private:
  static constexpr int kRows = 4, kColumns = 8;  ///< of blocks
  SDE_DEVICE static int count(int size, int block) { return (size + block - 1) / block; }
  /// <grad f_i, grad f_j>/n for j = first .. first + B - 1.
  template <int B>
  SDE_INLINE void gram_block(int i, int first) {
    T sums[B];
    for (int u = 0; u < B; ++u) sums[u] = J[i * d] * J[(first + u) * d];
    for (int k = 1; k < d; ++k)
      for (int u = 0; u < B; ++u) sums[u] += J[i * d + k] * J[(first + u) * d + k];
    for (int u = 0; u < B; ++u)
      if (first + u <= i) gram[i * n + first + u] = gram[(first + u) * n + i] = sums[u] * T(1.0 / n);
  }
  /// Components first .. first + B - 1 of v_a.
  template <int B>
  SDE_INLINE void normal_block(int a, int first) {
    T sums[B];
    for (int u = 0; u < B; ++u) sums[u] = Q[a * n] * J[first + u];
    for (int i = 1; i < n; ++i) {
      const T q = Q[a * n + i];
      for (int u = 0; u < B; ++u) sums[u] += q * J[i * d + first + u];
    }
    for (int u = 0; u < B; ++u) V[a * d + first + u] = sums[u] * newton[a];
  }
  /// to[a] = of(a, <q_a, w>).
  template <class Of>
  SDE_DEVICE void components(const T* w, Of of, T* to) const {
    sde::detail::in_blocks<kRows>(0, n, team_, [&](auto block, int first) {
      T sums[block];
      for (int u = 0; u < block; ++u) sums[u] = Q[(first + u) * n] * w[0];
      for (int i = 1; i < n; ++i)
        for (int u = 0; u < block; ++u) sums[u] += Q[(first + u) * n + i] * w[i];
      for (int u = 0; u < block; ++u) to[first + u] = of(first + u, sums[u]);
    });
  }
  /// u[d] -= sum_a along_[a] v_a.
  SDE_DEVICE void subtract_normals(T* u) const {
    if constexpr (kAlone<Team>)
      for (int a = 0; a < n; ++a) subtract_normal(a, along_[a], u);
    else
      team_.each(d, [&](int k) {
        T rest = u[k];
        for (int a = 0; a < n; ++a) rest -= along_[a] * V[a * d + k];
        u[k] = rest;
      });
  }
  SDE_INLINE void subtract_normal(int a, T s, T* u) const {
    for (int k = 0; k < d; ++k) u[k] -= s * V[a * d + k];
  }
  SDE_DEVICE T dot(const T* u, const T* w) const {
    T sum = u[0] * w[0];
    for (int k = 1; k < d; ++k) sum += u[k] * w[k];
    return sum;
  }
  /// max |f_i| at x; f is left holding the residuals.
  SDE_DEVICE T largest_residual(const T* x) {
    loss::residuals(loss_, x, f.data(), team_);
    T worst = abs(f[0]);
    for (int i = 1; i < n; ++i) worst = select(worst < abs(f[i]), abs(f[i]), worst);
    return worst;
  }
  SDE_DEVICE T root_largest() const { return sqrt(largest); }
  /// out[d] = scale J^+ w = scale J^T Q (n lambda)^-1 Q^T w.
  SDE_DEVICE void pseudo_inverse(const T* w, T scale, T* out) {
    in_eigenbasis(w, [&](int a) { return newton[a] * newton[a]; }, solved_.data());
    team_.each(d, [&](int k) {
      T sum = solved_[0] * J[k];
      for (int i = 1; i < n; ++i) sum += solved_[i] * J[i * d + k];
      out[k] = scale * sum;
    });
  }
  /// out += scale sqrt(lambda_a) sum_i q_a[i] F_i y.
  SDE_DEVICE void add_hessian_product(int a, T scale, T* out) {
    team_.each(n, [&](int i) { c[i] = Q[a * n + i]; });
    loss::weighted_hvp(loss_, x_, c.data(), y.data(), z.data(), team_);
    const T factor = scale * root[a];
    team_.strided(d, [&](int k) { out[k] += factor * z[k]; });
  }
  /// The weight, and 0 for a pair of two zero eigenvalues.
  SDE_DEVICE T guarded(Term term, const Prepared& p, const Mode<T>& i, const Mode<T>& j) const {
    const T sum = i.lambda + j.lambda;
    const auto ok = sum > T(0.0);
    const T hat = hat_weight(p, select(ok, i.lambda, T(1.0)), j.lambda);
    return select(ok, weight(term, p, i, j, hat), T(0.0));
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  const Team team_;
  const T* x_ = nullptr;

 public:
  const Extent<D> d;
  const Extent<N> n;
  const int r;
  Buffer<T, N, Team> f;
  Buffer<T, times(N, D), Team> J;
  Buffer<T, times(N, N), Team> gram, Q;
  Buffer<T, times(N, D), Team> V;   ///< rows: unit normals v_a
  Buffer<T, N, Team> lambda, root;  ///< eigenvalues and their square roots, 0 where tangent
  T largest{};                      ///< lambda_max
 private:
  Buffer<T, times(kEigenWork, N), Team> eigen_work_;
  Buffer<Mode<T>, N, Team> modes_;
  Buffer<T, D, Team> y, z;
  Buffer<T, N, Team> c, newton;  ///< newton: 1/sqrt(n lambda), 0 where tangent
  Buffer<T, N, Team> solved_;
  mutable Buffer<T, N, Team> along_;  ///< components along the normals v_a
  mutable Buffer<T, kAlone<Team> ? D : 0, Team> held_;  ///< what project() projects

 public:
  Buffer<T, kDynamic, Team> A;  ///< columns of P_par A
  Buffer<T, kDynamic, Team> C;  ///< <v_a, A_s>
};

}  // namespace sde::slow
