// The slow-SDE terms of a loss without residuals, of few dimensions, through its d x d Hessian: the formulas of
// dense_geometry.hpp on doubles, on packs and on a GPU. A direction is tangent where its eigenvalue is at most
// kNullThreshold of the largest one, in each lane by itself: Gamma may have another dimension in the next.
//
// In double alone. Off Gamma by a distance e a tangent direction has an eigenvalue of e times the loss's third
// derivatives. A retraction in float ends with e up to 2e-6, so that Gamma's curvature of 10 already lifts it above the
// threshold of a zero in float, 1e-5; and a direction that is taken for the other kind gives a wrong step, not an
// inaccurate one. (Residuals have their normals from J, which has no such error.)
#pragma once

#include "sde/core/symmetric_eigen.hpp"
#include "sde/loss/hessian.hpp"
#include "sde/loss/innovations.hpp"
#include "sde/slow/lane_metric.hpp"
#include "sde/slow/psi.hpp"

namespace sde::slow {

/// Most dimensions of a loss that these kernels take: a step's work is that of d^3, and of d passes for third
/// derivatives. Of more, paths go one by one (dense_geometry.hpp).
inline constexpr int kHessianDimensions = 8;

/// The terms, the step and the retraction of the slow SDE of any loss: d x d eigenproblems. In a metric compute(),
/// contract(), diffuse() and retract() alone are there.
template <ValueLoss L, class T, class Team = Solo, class Metric = NoMetric>
class HessianGeometry {
  static constexpr int D = dim_of<L>;
  static_assert(sizeof(scalar_of<T>) == sizeof(double));

 public:
  SDE_DEVICE HessianGeometry(const L& loss, const NoiseView<scalar_of<T>>& noise, const Team& team = {},
                             const typename Metric::Settings& settings = {})
      : d(loss.dim()),
        loss_(loss),
        noise_(noise),
        team_(team),
        expansion_(loss, team),
        here_(d, team),
        H_(d * d, team),
        V_(d * d, team),
        lambda_(d, team),
        newton_(d, team),
        eigen_work_(kEigenWork * d, team),
        sigma_(d * d, team),
        modes_(d, team),
        y_(d, team),
        z_(d, team),
        along_(d, team),
        step_(d, team),
        turned_(d, team),
        secant_(d * d, team),
        metric_(settings, d, team) {}

  /// The eigenpairs of the Hessian at x[d]: all that newton_step() and in_eigenbasis() ask for.
  SDE_DEVICE void linearize(const T* x) {
    team_.each(d, [&](int k) { here_[k] = x[k]; });
    expansion_.at(here_.data(), H_.data());
    metric_.begin(d, 0, static_cast<T*>(nullptr), noise_, here_.data(), team_);
    metric_.turn_matrix(d, H_.data(), team_);
    T nothing = T(0.0);  // or not a number
    for (int k = 0; k < d * d; ++k) nothing += H_[k] * T(0.0);
    if (d == 2) {
      team_.once([&] { symmetric_eigen(H_[0], H_[1], H_[3], V_.data(), lambda_.data()); });
    } else if constexpr (D != 2) {
      symmetric_eigen(d, H_.data(), V_.data(), lambda_.data(), eigen_work_.data(), team_);
      team_.once([&] { sort(); });
    }
    largest_ = abs(lambda_[0]);
    for (int a = 1; a < d; ++a) largest_ = max(largest_, abs(lambda_[a]));
    largest_ += nothing;
    const T threshold = largest_ * T(kNullThreshold);
    rank_ = 0;
    for (int a = 0; a < d; ++a)
      if (any(lambda_[a] > threshold)) rank_ = a + 1;
    team_.each(d, [&](int a) {
      const auto normal = lambda_[a] > threshold;
      lambda_[a] = select(normal, lambda_[a], T(0.0));
      newton_[a] = select(normal, T(1.0) / select(normal, lambda_[a], T(1.0)), T(0.0));
    });
  }

  /// Evaluates everything that the calls below share, at x[d] on Gamma.
  SDE_DEVICE void compute(const T* x) {
    linearize(x);
    if (Metric::kMoves || noise_.state_rank > 0 || !summed_) sum_noise();
    summed_ = true;
  }

  /// out[d] = -P_par D3L[M], M = sum over pairs of weight(term) <v_i, Sigma v_j> v_i v_j^T but for tangent ones. In
  /// terms of y_a = M v_a + (the tangent part of it once more), M is the symmetric part of sum_a v_a y_a^T, a normal.
  SDE_DEVICE void contract(Term term, const Prepared& p, T* out) {
    each_normal([&](int a) { modes_[a] = mode(p, lambda_[a]); });
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    for_normals([&](int a) {
      const T* const v = &V_[a * d];
      team_.each(d, [&](int k) { z_[k] = dot(&sigma_[k * d], v); });  // Sigma v_a
      const WeightsOf<T> weights(term, p, modes_[a], true);
      const T mixed = T(2.0 * p.factors.tangent_normal) * weights.mixed();
      team_.strided(d, [&](int k) { y_[k] = mixed * z_[k]; });
      for_normals([&](int b) {
        const T more = weights.with(modes_[b]) - mixed;
        const T m = select(normal(b), more * dot(&V_[b * d], z_.data()), T(0.0));
        team_.strided(d, [&](int k) { y_[k] += m * V_[b * d + k]; });
      });
      team_.sync();
      add_third(v, y_.data(), normal(a), out);
    });
    team_.each(d, [&](int k) { out[k] = -out[k]; });
    project(out);
    metric_.turn(d, out, team_);
  }

  /// out[d] = P_par grad tr Hess.
  SDE_DEVICE void gradient_of_trace(T* out) {
    team_.strided(d, [&](int k) { out[k] = T(0.0); });
    for (int j = 0; j < d; ++j) {
      team_.each(d, [&](int k) { y_[k] = T(k == j ? 1.0 : 0.0); });
      add_third(y_.data(), y_.data(), T(0.0) <= T(0.0), out);
    }
    project(out);
  }

  /// out[d] = -1/(2B) pinv(Hess) D3L[Sigma_par].
  SDE_DEVICE void ito_normal(double batch, T* out) {
    team_.strided(d, [&](int k) { z_[k] = T(0.0); });
    for (int s = 0; s < noise_dimension(); ++s) {
      tangent_column(s, y_.data());
      add_third(y_.data(), y_.data(), T(0.0) <= T(0.0), z_.data());
    }
    in_eigenbasis(
        z_.data(), [&](int a) { return T(-0.5 / batch) * newton_[a]; }, out);
  }
  /// out[d] = P_par A_s, column s of the noise.
  SDE_DEVICE void tangent_column(int s, T* out) const {
    team_.each(d, [&](int k) { out[k] = noise_.entry(d, s, k, here_.data()); });
    project(out);
  }
  /// out[d][d] = Sigma_par / B.
  SDE_DEVICE void diffusion(double batch, T* out) {
    team_.each(d * d, [&](int k) { out[k] = T(0.0); });
    for (int s = 0; s < noise_dimension(); ++s) {
      tangent_column(s, y_.data());
      team_.strided(d * d, [&](int k) { out[k] += y_[k / d] * y_[k % d]; });
    }
    team_.each(d * d, [&](int k) { out[k] = out[k] / T(batch); });
  }

  /// out[d] = sum_a scale(a) <v_a, w> v_a for w[d]: a function of the Hessian.
  template <class Scale>
  SDE_DEVICE void in_eigenbasis(const T* w, Scale scale, T* out) {
    team_.each(d, [&](int a) { along_[a] = scale(a) * dot(&V_[a * d], w); });
    team_.each(d, [&](int k) {
      T sum = along_[0] * V_[k];
      for (int a = 1; a < d; ++a) sum += along_[a] * V_[a * d + k];
      out[k] = sum;
    });
  }
  /// out[d] = -pinv(Hess) g: the Newton step to Gamma along the normal space, where g is the gradient at the point of
  /// linearize().
  SDE_DEVICE void newton_step(const T* g, T* out) {
    in_eigenbasis(
        g, [&](int a) { return -newton_[a]; }, out);
  }

  /// u <- P_par u.
  SDE_DEVICE void project(T* u) const {
    each_normal([&](int a) { along_[a] = select(normal(a), dot(&V_[a * d], u), T(0.0)); });
    team_.each(d, [&](int k) { for_normals([&](int a) { u[k] -= along_[a] * V_[a * d + k]; }); });
  }

  /// out[d] += scale * P_par A xi, whose covariance is scale^2 Sigma_par when xi ~ (0, I). xi() gives the next
  /// component.
  template <class Draw>
  SDE_DEVICE void diffuse(T scale, Draw&& xi, T* out) const {
    team_.strided(d, [&](int k) { turned_[k] = T(0.0); });
    for (int s = 0; s < noise_dimension(); ++s) {
      const T step = scale * xi();
      team_.strided(d, [&](int k) { turned_[k] += step * metric_(k, noise_.entry(d, s, k, here_.data())); });
    }
    team_.sync();
    project(turned_.data());
    team_.each(d, [&](int k) { out[k] += metric_(k, turned_[k]); });
  }
  SDE_DEVICE int noise_dimension() const { return noise_.columns(); }

  // What linearize() has found.
  SDE_DEVICE T eigenvalue(int a) const { return lambda_[a]; }  ///< descending, 0 where tangent
  SDE_DEVICE T largest_eigenvalue() const { return lambda_[0]; }
  SDE_DEVICE auto finite() const { return largest_ >= T(0.0); }   ///< whether the Hessian is
  SDE_DEVICE const T* eigenvectors() const { return V_.data(); }  ///< [d][d] rows v_a
  SDE_DEVICE const T* noise() const { return sigma_.data(); }     ///< [d][d] Sigma
  SDE_DEVICE T trace() const {
    T sum = lambda_[0];
    for (int a = 1; a < d; ++a) sum += lambda_[a];
    return sum;
  }

  /// Retraction: x <- the point of Gamma in x + span of the normal space at the point of linearize(): where the
  /// gradient has no component in that space. Newton's method with the Hessian there, corrected after every step by
  /// what the step has shown of the change (Broyden, Math. Comp. 19, 1965; of one normal the secant method):
  /// superlinear, a gradient a step. Converged lanes are left alone, so no lane depends on another. Returns the lanes
  /// that did not converge, or not to Gamma.
  SDE_DEVICE auto retract(T* x) {
    const T tolerance = T(kRetracted) * max(largest_, T(1.0)), allowed = tolerance * tolerance;
    T before = T(1.0);
    auto open = finite(), lost = !open;
    for (int iteration = 0; iteration < kMostIterations; ++iteration) {
      loss::gradient(loss_, x, y_.data(), team_);
      metric_.turn(d, y_.data(), team_);
      each_normal([&](int a) { along_[a] = select(normal(a), dot(&V_[a * d], y_.data()), T(0.0)); });
      T size = T(0.0);  // squared, as `before` and `allowed`
      for_normals([&](int a) { size += along_[a] * along_[a]; });
      const auto escaped = !(size < T(kEscaped));
      // As small as asked for, or as rounding lets it become. Near to that the next step reduces it by more than the
      // one before did, and may be known to be the last.
      auto done = size <= allowed, last = T(1.0) < T(0.0);
      if (iteration > 0) {
        done = done | ((size < T(kRounding)) & (size >= T(0.25) * before));
        last = (size <= T(kNear) * allowed) & (size * size <= allowed * before);
      }
      lost = lost | (open & (escaped | ((done | last) & !on_gamma(size))));
      open = open & !escaped & !done;
      if (!any(open)) return lost;
      quasi_newton(iteration == 0);
      team_.each(d, [&](int k) {
        T sum = T(0.0);
        for_normals([&](int a) { sum += step_[a] * V_[a * d + k]; });
        x[k] += select(open, metric_(k, sum), T(0.0));
      });
      open = open & !last;
      if (!any(open)) return lost;
      before = size;
    }
    lost = lost | open;
    return lost;
  }

  SDE_DEVICE Metric& metric() { return metric_; }

  const Extent<D> d;

 private:
  static constexpr double kRetracted = 1e-14, kRounding = 1e-20, kNear = 1e16, kEscaped = 1e300, kBeside = 1e-9;
  static constexpr int kMostIterations = 60;

  /// The lanes of which eigenvector a is a normal.
  SDE_INLINE auto normal(int a) const { return newton_[a] > T(0.0); }
  /// f(a) for the normals of any lane, by every member of a team; and by one each.
  template <class F>
  SDE_INLINE void for_normals(F f) const {
    for_indices<D>(rank_, f);
  }
  template <class F>
  SDE_INLINE void each_normal(F f) const {
    if constexpr (kAlone<Team>)
      for_normals(f);
    else
      team_.each(rank_, f);
  }
  SDE_INLINE T dot(const T* u, const T* w) const {
    T sum = u[0] * w[0];
    for (int k = 1; k < d; ++k) sum += u[k] * w[k];
    return sum;
  }
  /// Eigenpairs in descending order, lane by lane.
  SDE_DEVICE void sort() {
    for (int a = 0; a + 1 < d; ++a)
      for (int b = d - 1; b > a; --b) {
        const auto swapped = lambda_[b] > lambda_[b - 1];
        if (!any(swapped)) continue;
        const auto exchange = [&](T& first, T& second) {
          const T kept = first;
          first = select(swapped, second, first);
          second = select(swapped, kept, second);
        };
        exchange(lambda_[b - 1], lambda_[b]);
        for (int k = 0; k < d; ++k) exchange(V_[(b - 1) * d + k], V_[b * d + k]);
      }
  }
  /// Sigma = A A^T at the point of linearize().
  SDE_DEVICE void sum_noise() {
    team_.each(d, [&](int i) {
      for (int k = 0; k < d; ++k) {
        T sum = T(0.0);
        for (int s = 0; s < noise_dimension(); ++s)
          sum += noise_.entry(d, s, i, here_.data()) * noise_.entry(d, s, k, here_.data());
        sigma_[i * d + k] = sum;
      }
    });
    metric_.turn_matrix(d, sigma_.data(), team_);
  }
  /// out[d] += D3L[u w^T] in the lanes that ask for it.
  template <class Condition>
  SDE_INLINE void add_third(const T* u, const T* w, Condition asked, T* out) {
    expansion_.third(metric_.turned(d, u, turned_.data(), team_), metric_.turned(d, w, along_.data(), team_),
                     step_.data());
    team_.each(d, [&](int k) { out[k] = select(asked, out[k] + metric_(k, step_[k]), out[k]); });
  }
  /// Whether the gradient y vanishes with its normal part, whose square is `size`. Where a normal misses Gamma it does
  /// not: the loss has a minimum along that line, and falls beside it.
  SDE_INLINE auto on_gamma(T size) const {
    const T all = dot(y_.data(), y_.data()), rounding = T(kBeside) * max(largest_, T(1.0));
    return all <= T(100.0) * size + rounding * rounding;
  }
  /// step[a] = -K c for c = along, the components of the gradient, with K = secant, the inverse of the Hessian between
  /// normals as far as it is known: `first`, that of linearize(); then corrected by the last step s, after which K s.t.
  /// K (c - c_before) = s. With z = K c before the correction, K c after it is z |s|^2/(|s|^2 + s.z).
  SDE_INLINE void quasi_newton(bool first) {
    if (first) {
      each_normal([&](int a) {
        for_normals([&](int b) { secant_[a * d + b] = a == b ? newton_[a] : T(0.0); });
        step_[a] = -(newton_[a] * along_[a]);
      });
      return;
    }
    each_normal([&](int a) {
      T sum = T(0.0), turned = T(0.0);
      for_normals([&](int b) {
        sum += secant_[a * d + b] * along_[b];
        turned += step_[b] * secant_[b * d + a];
      });
      z_[a] = sum;
      turned_[a] = turned;
    });
    T square = T(0.0), product = T(0.0);
    for_normals([&](int a) {
      square += step_[a] * step_[a];
      product += step_[a] * z_[a];
    });
    // A correction by more than ten is none: the steps have shown nothing.
    const T divisor = square + product;
    const auto known = divisor > T(0.1) * square;
    const T inverse = select(known, T(1.0) / select(known, divisor, T(1.0)), T(0.0));
    const T factor = select(known, square * inverse, T(1.0));
    each_normal([&](int a) {
      for_normals([&](int b) { secant_[a * d + b] -= z_[a] * (turned_[b] * inverse); });
      step_[a] = -(z_[a] * factor);
    });
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  const Team team_;
  loss::Expansion<L, T, Team> expansion_;
  Buffer<T, D, Team> here_;             ///< the point of linearize()
  Buffer<T, times(D, D), Team> H_;      ///< overwritten by the eigenproblem
  Buffer<T, times(D, D), Team> V_;      ///< rows: unit eigenvectors
  Buffer<T, D, Team> lambda_, newton_;  ///< eigenvalues and their inverses, 0 where tangent
  T largest_{};                         ///< max |lambda|; not a number where the Hessian is not finite
  int rank_ = 0;                        ///< normals in any lane: the first ones
  Buffer<T, times(kEigenWork, D), Team> eigen_work_;
  Buffer<T, times(D, D), Team> sigma_;
  bool summed_ = false;  ///< sigma_ is known, for good where the noise is constant
  Buffer<Mode<T>, D, Team> modes_;
  Buffer<T, D, Team> y_, z_;
  mutable Buffer<T, D, Team> along_;  ///< components along the normals
  Buffer<T, D, Team> step_;
  mutable Buffer<T, D, Team> turned_;
  Buffer<T, times(D, D), Team> secant_;
  Metric metric_;
};

}  // namespace sde::slow
