// The slow-SDE terms of an interpolating squared loss (all residuals vanish on Gamma) at a point of Gamma, through the
// n x n eigenproblem of G = J J^T / n: nothing here is d x d. Runs on doubles and on packs.
//
// On Gamma Hess = J^T J / n, with eigenpairs lambda_a = those of G and v_a = J^T q_a / sqrt(n lambda_a); all other
// directions are tangent. With f = 0,  P_par D3L[M] = (2/n) P_par sum_i F_i M grad f_i  (F_i = Hessian of f_i; the
// other terms of the third derivative are normal), and grad f_i = sqrt(n) sum_a sqrt(lambda_a) q_a[i] v_a.
#pragma once

#include "sde/core/symmetric_eigen.hpp"
#include "sde/loss/derivatives.hpp"
#include "sde/loss/innovations.hpp"
#include "sde/slow/lane_metric.hpp"
#include "sde/slow/psi.hpp"
#include "sde/slow/residual_products.hpp"

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

/// The terms, the step and the retraction of the slow SDE of n residuals: n x n eigenproblems. In a metric compute(),
/// contract(), diffuse() and retract() alone are there.
template <SquaredLoss L, class T, class Team = Solo, class Metric = NoMetric>
class ResidualGeometry {
  static constexpr int D = dim_of<L>, N = residuals_of<L>;

 public:
  SDE_DEVICE ResidualGeometry(const L& loss, const NoiseView<scalar_of<T>>& noise, const Team& team = {},
                              const typename Metric::Settings& settings = {})
      : loss_(loss),
        noise_(noise),
        team_(team),
        d(loss.dim()),
        n(loss.residual_count()),
        r_(noise.columns()),
        f_(n, team),
        J_(n * d, team),
        gram_(n * n, team),
        Q_(n * n, team),
        V_(n * d, team),
        lambda_(n, team),
        root_(n, team),
        eigen_work_(kEigenWork * n, team),
        modes_(n, team),
        y_(d, team),
        z_(d, team),
        c_(n, team),
        newton_(n, team),
        solved_(n, team),
        along_(n, team),
        held_(kAlone<Team> ? int(d) : 0, team),
        A_(r_ * d, team),
        C_(n * r_, team),
        metric_(settings, d, team) {}

  /// J, and the eigenpairs of G, at x[d]: all that in_eigenbasis() and newton_step() ask for.
  SDE_DEVICE void linearize(const T* x) {
    x_ = x;
    loss::jacobian(loss_, x, J_.data(), team_);
    metric_.begin(d, n, J_.data(), noise_, x, team_);
    products::gram<T>(n, d, J_.data(), gram_.data(), team_);
    symmetric_eigen(n, gram_.data(), Q_.data(), lambda_.data(), eigen_work_.data(), team_);
    largest_ = lambda_[0];
    for (int a = 1; a < n; ++a) largest_ = select(largest_ < lambda_[a], lambda_[a], largest_);
    const T threshold = largest_ * T(kNullThresholdOf<T>);
    team_.each(n, [&](int a) {
      const auto normal = lambda_[a] > threshold;
      lambda_[a] = select(normal, lambda_[a], T(0.0));
      root_[a] = sqrt(lambda_[a]);
      newton_[a] = select(normal, T(1.0) / (select(normal, root_[a], T(1.0)) * T(std::sqrt(double(n)))), T(0.0));
    });
  }

  /// Evaluates everything that the calls below share, at x[d] on Gamma.
  SDE_DEVICE void compute(const T* x) {
    linearize(x);
    products::scaled_product<T>(n, d, newton_.data(), Q_.data(), J_.data(), V_.data(), team_);
    if (r_ > 0) {
      team_.each(r_ * d, [&](int entry) { A_[entry] = metric_(entry % d, noise_.entry(d, entry / d, entry % d, x)); });
      team_.each(r_, [&](int s) {
        for (int a = 0; a < n; ++a) C_[a * r_ + s] = dot(&V_[a * d], &A_[s * d]);
        for (int a = 0; a < n; ++a)
          for (int k = 0; k < d; ++k) A_[s * d + k] -= C_[a * r_ + s] * V_[a * d + k];  // now the column of P_par A
      });
    }
  }

  /// out[d] = -P_par D3L[M], M = sum over pairs of weight(term) <v_i, Sigma_dia v_j> v_i v_j^T.
  SDE_DEVICE void contract(Term term, const Prepared& p, T* out) {
    const double label = noise_.label_scale(n);
    const bool others = N != 1 && r_ > 0;  // pairs of different modes
    team_.each(n, [&](int a) { modes_[a] = mode(p, lambda_[a], others); });
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    const T scale = T(-2.0) / sqrt(T(double(n)));
    for (int a = 0; a < n; ++a) {
      // y = M v_a: the normal block, whose diagonal has the label noise, then the tangent-normal one.
      const auto along = [&](int b, T s) {
        for (int q = 0; q < r_; ++q) s += C_[a * r_ + q] * C_[b * r_ + q];
        return s;
      };
      const WeightsOf<T> weights(term, p, modes_[a], others);
      const T own = weights.own() * along(a, lambda_[a] * T(label));
      team_.strided(d, [&](int k) { y_[k] = own * V_[a * d + k]; });
      if constexpr (N != 1) {
        for (int b = r_ > 0 ? 0 : int(n); b < n; ++b) {
          if (b == a) continue;
          const T m = weights.with(modes_[b]) * along(b, T(0.0));
          team_.strided(d, [&](int k) { y_[k] += m * V_[b * d + k]; });
        }
      }
      if (r_ > 0) {
        const T m = weights.mixed() * T(p.factors.tangent_normal);
        for (int q = 0; q < r_; ++q) {
          const T mc = m * C_[a * r_ + q];
          team_.strided(d, [&](int k) { y_[k] += mc * A_[q * d + k]; });
        }
      }
      add_hessian_product(a, scale, out);
    }
    project(out);
    metric_.turn(d, out, team_);
  }

  /// out[d] = P_par grad tr Hess = P_par D3L[I]: the contraction with M = the identity on the normal space.
  SDE_DEVICE void gradient_of_trace(T* out) {
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    for (int a = 0; a < n; ++a) {
      team_.strided(d, [&](int k) { y_[k] = V_[a * d + k]; });
      add_hessian_product(a, T(2.0) / sqrt(T(double(n))), out);
    }
    project(out);
  }

  /// out[d] = -1/(2B) pinv(Hess) D3L[Sigma_par]. For tangent u, D3L[u u^T] = (1/n) sum_i grad f_i (u^T F_i u), so it is
  /// J^+ applied to (F_i : Sigma_par), with one pass over the residuals for each column of the noise.
  SDE_DEVICE void ito_normal(double batch, T* out) {
    team_.each(n, [&](int i) { f_[i] = T(0.0); });
    for (int s = 0; s < r_; ++s) {
      loss::curvature(loss_, x_, &A_[s * d], c_.data(), team_);
      team_.each(n, [&](int i) { f_[i] += c_[i]; });
    }
    pseudo_inverse(f_.data(), T(-0.5 / batch), out);
  }
  /// Entry (i, k) of Sigma_par / B.
  SDE_DEVICE T diffusion(double batch, int i, int k) const {
    T sum = T(0.0);
    for (int s = 0; s < r_; ++s) sum += A_[s * d + i] * A_[s * d + k];
    return sum / T(batch);
  }

  /// out[n] = Q diag(scale(a)) Q^T w: a function of G applied to w[n]. out may be w.
  template <class Scale>
  SDE_DEVICE void in_eigenbasis(const T* w, Scale scale, T* out) {
    components(
        w, [&](int a, T along) { return scale(a) * along; }, c_.data());
    team_.each(n, [&](int i) {
      T sum = Q_[i] * c_[0];
      for (int a = 1; a < n; ++a) sum += Q_[a * n + i] * c_[a];
      out[i] = sum;
    });
  }
  /// out[d] = -J^+ f at the point of linearize(): the Newton step to Gamma along the normal space. residuals() are
  /// those there.
  SDE_DEVICE void newton_step(T* out) { pseudo_inverse(residuals_at(x_), T(-1.0), out); }
  /// f[n] at x, kept until something else here evaluates residuals.
  SDE_DEVICE const T* residuals_at(const T* x) {
    loss::residuals(loss_, x, f_.data(), team_);
    return f_.data();
  }
  SDE_DEVICE const T* residuals() const { return f_.data(); }
  /// out[d] = J^T f/n with the Jacobian of linearize() and the residuals() in hand: grad L, where both are of one
  /// point.
  SDE_DEVICE void gradient(T* out) const {
    team_.each(d, [&](int k) {
      T sum = f_[0] * J_[k];
      for (int i = 1; i < n; ++i) sum += f_[i] * J_[i * d + k];
      out[k] = sum / T(n);
    });
  }

  /// u <- P_par u.
  SDE_DEVICE void project(T* u) const {
    if constexpr (kAlone<Team>) {
      // Each normal is read once: V is larger than the first-level cache.
      for (int k = 0; k < d; ++k) held_[k] = u[k];
      for (int a = 0; a < n; ++a) subtract_normal(a, dot(&V_[a * d], held_.data()), u);
    } else {
      team_.each(n, [&](int a) { along_[a] = dot(&V_[a * d], u); });
      subtract_normals(u);
    }
  }

  /// out[d] += scale * P_par A xi, whose covariance is scale^2 Sigma_par when xi ~ (0, I). xi() gives the next
  /// component.
  template <class Draw>
  SDE_DEVICE void diffuse(T scale, Draw&& xi, T* out) const {
    for (int s = 0; s < r_; ++s) {
      const T step = scale * xi();
      team_.strided(d, [&](int k) { out[k] += metric_(k, step * A_[s * d + k]); });
    }
    team_.sync();
  }
  SDE_DEVICE int noise_dimension() const { return r_; }

  // What compute(), or linearize() but for the normals and the noise, has found.
  SDE_DEVICE T eigenvalue(int a) const { return lambda_[a]; }  ///< lambda_a of G, 0 where tangent
  SDE_DEVICE T largest_eigenvalue() const { return largest_; }
  SDE_DEVICE const T* normals() const { return V_.data(); }        ///< [n][d] unit normals v_a
  SDE_DEVICE const T* tangent_noise() const { return A_.data(); }  ///< [column][d] columns of P_par A
  SDE_DEVICE const T* normal_noise() const { return C_.data(); }   ///< [n][column] <v_a, A_s>

  /// Retraction: x <- the point of Gamma in x + span of the normal space at `x` as last computed, by Newton's method
  /// with that point's Jacobian (a chord iteration). Agrees with Phi to second order on tangent steps. Converged lanes
  /// are left alone, so no lane depends on another. Returns the lanes that did not converge.
  SDE_DEVICE auto retract(T* x) {
    const T tolerance = T(Retraction<T>::tolerance) * (T(1.0) + root_largest() * T(double(n)));
    auto open = abs(largest_) < T(0.0);
    for (int iteration = 0; iteration < Retraction<T>::most_iterations; ++iteration) {
      open = !(largest_residual(x) <= tolerance);
      if (!any(open)) return open;
      components(
          f_.data(), [&](int a, T along) { return select(open, along * newton_[a], T(0.0)); }, along_.data());
      go_back(x);
    }
    return !(largest_residual(x) <= tolerance * T(Retraction<T>::slack));
  }

  SDE_DEVICE T trace() const {
    T sum = lambda_[0];
    for (int a = 1; a < n; ++a) sum += lambda_[a];
    return sum;
  }
  SDE_DEVICE Metric& metric() { return metric_; }

 private:
  /// to[a] = of(a, <q_a, w>).
  template <class Of>
  SDE_INLINE void components(const T* w, Of of, T* to) const {
    products::components<T>(n, Q_.data(), w, of, to, team_);
  }
  /// u[d] -= sum_a along_[a] v_a.
  SDE_INLINE void subtract_normals(T* u) const {
    products::subtract_combination<T>(n, d, along_.data(), V_.data(), u, team_);
  }
  /// x[d] -= sum_a along_[a] v_a as theta has them.
  SDE_INLINE void go_back(T* x) {
    if constexpr (Metric::kMoves) {
      team_.each(d, [&](int k) { y_[k] = T(0.0); });
      subtract_normals(y_.data());
      team_.each(d, [&](int k) { x[k] += metric_(k, y_[k]); });
    } else {
      subtract_normals(x);
    }
  }
  SDE_INLINE void subtract_normal(int a, T s, T* u) const {
    for (int k = 0; k < d; ++k) u[k] -= s * V_[a * d + k];
  }
  SDE_DEVICE T dot(const T* u, const T* w) const {
    T sum = u[0] * w[0];
    for (int k = 1; k < d; ++k) sum += u[k] * w[k];
    return sum;
  }
  /// max |f_i| at x; f is left holding the residuals.
  SDE_DEVICE T largest_residual(const T* x) {
    loss::residuals(loss_, x, f_.data(), team_);
    T worst = abs(f_[0]);
    for (int i = 1; i < n; ++i) worst = select(worst < abs(f_[i]), abs(f_[i]), worst);
    return worst;
  }
  SDE_DEVICE T root_largest() const { return sqrt(largest_); }
  /// out[d] = scale J^+ w = scale J^T Q (n lambda)^-1 Q^T w.
  SDE_DEVICE void pseudo_inverse(const T* w, T scale, T* out) {
    in_eigenbasis(
        w, [&](int a) { return newton_[a] * newton_[a]; }, solved_.data());
    team_.each(d, [&](int k) {
      T sum = solved_[0] * J_[k];
      for (int i = 1; i < n; ++i) sum += solved_[i] * J_[i * d + k];
      out[k] = scale * sum;
    });
  }
  /// out += scale sqrt(lambda_a) sum_i q_a[i] F_i y.
  SDE_DEVICE void add_hessian_product(int a, T scale, T* out) {
    team_.sync();  // y was written strided
    metric_.turn(d, y_.data(), team_);
    loss::weighted_hvp(loss_, x_, &Q_[a * n], y_.data(), z_.data(), team_);
    const T factor = scale * root_[a];
    team_.strided(d, [&](int k) { out[k] += factor * metric_(k, z_[k]); });
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  const Team team_;
  const T* x_ = nullptr;

 public:
  const Extent<D> d;
  const Extent<N> n;

 private:
  const int r_;  ///< columns of the noise
  Buffer<T, N, Team> f_;
  Buffer<T, times(N, D), Team> J_;
  Buffer<T, times(N, N), Team> gram_, Q_;
  Buffer<T, times(N, D), Team> V_;    ///< rows: unit normals v_a
  Buffer<T, N, Team> lambda_, root_;  ///< eigenvalues and their square roots, 0 where tangent
  T largest_{};                       ///< lambda_max
  Buffer<T, times(kEigenWork, N), Team> eigen_work_;
  Buffer<Mode<T>, N, Team> modes_;
  Buffer<T, D, Team> y_, z_;
  Buffer<T, N, Team> c_, newton_;  ///< newton: 1/sqrt(n lambda), 0 where tangent
  Buffer<T, N, Team> solved_;
  mutable Buffer<T, N, Team> along_;                    ///< components along the normals v_a
  mutable Buffer<T, kAlone<Team> ? D : 0, Team> held_;  ///< what project() projects
  Buffer<T, kDynamic, Team> A_;                         ///< columns of P_par A
  Buffer<T, kDynamic, Team> C_;                         ///< <v_a, A_s>
  Metric metric_;
};

}  // namespace sde::slow
