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
    // The Gram matrix, and below V, in tiles: several sums at a time, each in its order.
    tiles(n, [&]<class Block>(Block, auto rows, int i, int j) {
      if (j < i + rows) gram_tile<rows, Block>(i, j);
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
    tiles(d, [&]<class Block>(Block, auto rows, int a, int k) { normal_tile<rows, Block>(a, k); });
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
      // y = M v_a: the normal block, whose diagonal has the label noise, then the tangent-normal one.
      const auto along = [&](int b, T s) {
        for (int q = 0; q < r; ++q) s += C[a * r + q] * C[b * r + q];
        return guarded(term, p, modes_[a], modes_[b]) * s;
      };
      const T own = along(a, lambda[a] * T(label));
      team_.strided(d, [&](int k) { y[k] = own * V[a * d + k]; });
      if constexpr (N != 1) {
        for (int b = r > 0 ? 0 : int(n); b < n; ++b) {
          if (b == a) continue;
          const T m = along(b, T(0.0));
          team_.strided(d, [&](int k) { y[k] += m * V[b * d + k]; });
        }
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
    components(
        w, [&](int a, T along) { return scale(a) * along; }, c.data());
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
      components(
          f.data(), [&](int a, T along) { return select(open, along * newton[a], T(0.0)); }, along_.data());
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
  /// f(block, rows, i, j): i .. i + rows - 1 of n by the columns j, ... of m; all tiles make n x m. `rows` is a
  /// constant. A member of a team takes a part of one row.
  template <class F>
  SDE_INLINE void tiles(int m, F f) {
    using One = std::integral_constant<int, 1>;
    if constexpr (kAlone<Team>) {
      using Some = std::integral_constant<int, 4>;  // rows by columns: as many as the registers hold
      int i = 0;
      for (; i + Some::value <= n; i += Some::value)
        over_columns<T>(0, m, Solo{}, [&](auto block, int j) { f(block, Some{}, i, j); });
      for (; i < n; ++i) over_columns<T>(0, m, Solo{}, [&](auto block, int j) { f(block, One{}, i, j); });
    } else {
      constexpr int kPart = 8;
      const int parts = (m + kPart - 1) / kPart;
      team_.each(n * parts, [&](int part) {
        const int first = part % parts * kPart, end = first + kPart < m ? first + kPart : m;
        over_columns<T>(first, end, Solo{}, [&](auto block, int j) { f(block, One{}, part / parts, j); });
      });
    }
  }
  /// sums[t][u] = sum_k left[t * stride + k] right(k, u), k < size.
  template <class U, int R, int C, class Right>
  SDE_INLINE static void multiply(int size, const T* left, int stride, Right right, U (&sums)[R][C]) {
    for (int t = 0; t < R; ++t)
      for (int u = 0; u < C; ++u) sums[t][u] = T(0.0);
    for (int k = 0; k < size; ++k)
      for (int u = 0; u < C; ++u) {
        const U factor = right(k, u);
        for (int t = 0; t < R; ++t) sums[t][u] += U(left[t * stride + k]) * factor;
      }
  }
  /// <grad f_i, grad f_j>/n
  template <int R, class Block>
  SDE_INLINE void gram_tile(int i, int j) {
    using U = typename Block::Value;
    U sums[R][Block::count];
    multiply(
        d, &J[i * d], d, [&](int k, int u) { return Block::read_apart(&J[j * d + k], d, u); }, sums);
    T row[Block::columns];
    for (int t = 0; t < R; ++t) {
      for (int u = 0; u < Block::count; ++u) Block::write(sums[t][u] * U(T(1.0 / n)), row, u);
      for (int u = 0; u < Block::columns; ++u)
        if (j + u <= i + t) gram[(i + t) * n + j + u] = gram[(j + u) * n + i + t] = row[u];
    }
  }
  /// Components k, ... of v_a .. v_{a + R - 1}.
  template <int R, class Block>
  SDE_INLINE void normal_tile(int a, int k) {
    using U = typename Block::Value;
    U sums[R][Block::count];
    multiply(
        n, &Q[a * n], n, [&](int i, int u) { return Block::read(&J[i * d + k], u); }, sums);
    for (int t = 0; t < R; ++t)
      for (int u = 0; u < Block::count; ++u) Block::write(sums[t][u] * U(newton[a + t]), &V[(a + t) * d + k], u);
  }
  /// to[a] = of(a, <q_a, w>).
  template <class Of>
  SDE_DEVICE void components(const T* w, Of of, T* to) const {
    over_columns<T>(0, n, team_, [&]<class Block>(Block, int first) {
      using U = typename Block::Value;
      U sums[1][Block::count];
      multiply(
          n, w, n, [&](int i, int u) { return Block::read_apart(&Q[first * n + i], n, u); }, sums);
      T all[Block::columns];
      for (int u = 0; u < Block::count; ++u) Block::write(sums[0][u], all, u);
      for (int u = 0; u < Block::columns; ++u) to[first + u] = of(first + u, all[u]);
    });
  }
  /// u[d] -= sum_a along_[a] v_a.
  SDE_DEVICE void subtract_normals(T* u) const {
    over_columns<T>(0, d, team_, [&]<class Block>(Block, int first) {
      using U = typename Block::Value;
      U rest[Block::count];
      for (int k = 0; k < Block::count; ++k) rest[k] = Block::read(u + first, k);
      for (int a = 0; a < n; ++a)
        for (int k = 0; k < Block::count; ++k) rest[k] -= U(along_[a]) * Block::read(&V[a * d + first], k);
      for (int k = 0; k < Block::count; ++k) Block::write(rest[k], u + first, k);
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
    in_eigenbasis(
        w, [&](int a) { return newton[a] * newton[a]; }, solved_.data());
    team_.each(d, [&](int k) {
      T sum = solved_[0] * J[k];
      for (int i = 1; i < n; ++i) sum += solved_[i] * J[i * d + k];
      out[k] = scale * sum;
    });
  }
  /// out += scale sqrt(lambda_a) sum_i q_a[i] F_i y.
  SDE_DEVICE void add_hessian_product(int a, T scale, T* out) {
    team_.sync();  // y was written strided
    loss::weighted_hvp(loss_, x_, &Q[a * n], y.data(), z.data(), team_);
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
  mutable Buffer<T, N, Team> along_;                    ///< components along the normals v_a
  mutable Buffer<T, kAlone<Team> ? D : 0, Team> held_;  ///< what project() projects

 public:
  Buffer<T, kDynamic, Team> A;  ///< columns of P_par A
  Buffer<T, kDynamic, Team> C;  ///< <v_a, A_s>
};

}  // namespace sde::slow
