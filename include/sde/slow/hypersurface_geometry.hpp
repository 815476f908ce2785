// The slow SDE where Gamma is the zero set of one residual f: there is one normal direction, v = grad f/|grad f|, and
// one non-zero eigenvalue, lambda = |grad f|^2. The formulas of residual_geometry.hpp for n = 1, in one pass over the
// noise's columns and without arrays for them: for a loss of constant dimension a step stays in registers.
#pragma once

#include "sde/slow/residual_geometry.hpp"

namespace sde::slow {

/// The terms, the step and the retraction of the slow SDE of one residual. In a metric tangent_move(), diffuse() and
/// retract() alone are there.
template <SquaredLoss L, class T, class Team = Solo, class Metric = NoMetric>
class HypersurfaceGeometry {
  static_assert(residuals_of<L> == 1);
  static constexpr int D = dim_of<L>;
  static constexpr bool kInRegisters = D > 0 && std::is_same_v<Team, Solo>;

 public:
  SDE_DEVICE HypersurfaceGeometry(const L& loss, const NoiseView<scalar_of<T>>& noise, const Team& team = {},
                                  const typename Metric::Settings& settings = {})
      : d(loss.dim()),
        loss_(loss),
        noise_(noise),
        team_(team),
        here_(d, team),
        v_(d, team),
        f_(1, team),
        line_(Metric::kMoves ? int(d) : 0, team),
        work_(d, team),
        metric_(settings, d, team) {}

  /// move[d] = drift dt + P_par A xi sqrt(dt/B) at x[d] on Gamma; draw() gives the components of xi. The drift is that
  /// of `term` (psi.hpp).
  template <class Draw>
  SDE_INLINE void tangent_move(const T* x, const Prepared& p, double dt, Draw&& draw, T* move,
                               Term term = Term::drift) {
    // On the stack where d is constant, so that the compiler keeps them in registers; else allocated once.
    if constexpr (kInRegisters) {
      Work fresh(d, team_);
      Buffer<T, D, Team> here(d, team_), v(d, team_);
      tangent_move(x, p, term, dt, draw, move, here.data(), v.data(), fresh);
      for (int k = 0; k < d; ++k) v_[k] = v[k];
      if (noise_.state_rank > 0)  // else diffuse() does not ask
        for (int k = 0; k < d; ++k) here_[k] = here[k];
    } else {
      tangent_move(x, p, term, dt, draw, move, here_.data(), v_.data(), work_);
    }
  }

  /// out[d] += scale P_par A xi at the point of the last move.
  template <class Draw>
  SDE_DEVICE void diffuse(T scale, Draw&& draw, T* out) const {
    for (int s = 0; s < noise_dimension(); ++s) {
      T c = entry(s, 0, here_.data()) * v_[0];
      for (int k = 1; k < d; ++k) c += entry(s, k, here_.data()) * v_[k];
      c = c * inverse_;
      const T step = scale * draw();
      team_.strided(d, [&](int k) { out[k] += metric_(k, step * (entry(s, k, here_.data()) - c * v_[k])); });
    }
    team_.sync();
  }
  SDE_DEVICE int noise_dimension() const { return noise_.columns(); }

  /// out[d] = the drift of `term` at x[d]; the calls below are of this point.
  SDE_DEVICE void drift(const T* x, const Prepared& p, Term term, T* out) {
    tangent_move(
        x, p, 1.0, [] { return T(0.0); }, out, term);
    for (int k = 0; k < d; ++k) here_[k] = x[k];
  }
  /// The non-zero eigenvalue of the Hessian.
  SDE_DEVICE T eigenvalue() const { return T(1.0) / inverse_; }
  /// out[d] = -1/(2B) pinv(Hess) D3L[Sigma_par], with D3L[u u^T] = grad f (u^T F u) for tangent u.
  SDE_DEVICE void ito_normal(double batch, T* out) const {
    T sum = T(0.0), column[D], phi;
    for (int s = 0; s < noise_dimension(); ++s) {
      tangent_column(s, column);
      loss::curvature(loss_, here_.data(), static_cast<const T*>(column), &phi);
      sum += phi;
    }
    for (int k = 0; k < d; ++k) out[k] = T(-0.5 / batch) * (v_[k] * inverse_ * sum);
  }
  /// out[d][d] = Sigma_par / B.
  SDE_DEVICE void diffusion(double batch, T* out) const {
    T column[D];
    for (int k = 0; k < d * d; ++k) out[k] = T(0.0);
    for (int s = 0; s < noise_dimension(); ++s) {
      tangent_column(s, column);
      for (int i = 0; i < d; ++i)
        for (int k = 0; k < d; ++k) out[i * d + k] += column[i] * column[k];
    }
    for (int k = 0; k < d * d; ++k) out[k] = out[k] / T(batch);
  }

  /// Retraction along the normal at the point of the last move, in closed form where the loss has one. Returns the
  /// lanes that did not converge.
  SDE_INLINE auto retract(T* x) {
    const T* const line = metric_.turned(d, v_.data(), line_.data(), team_);
    if constexpr (requires { loss_.intersect_normal(line, x), loss_.meets_lines(); }) {
      return loss_.meets_lines() ? intersect(line, x) : newton(line, x);
    } else if constexpr (requires { loss_.intersect_normal(line, x); }) {
      return intersect(line, x);
    } else {
      return newton(line, x);
    }
  }
  SDE_DEVICE Metric& metric() { return metric_; }

  const Extent<D> d;

 private:
  /// Entry k of column s of the noise.
  SDE_INLINE T entry(int s, int k, const T* here) const { return metric_(k, noise_.entry(d, s, k, here)); }
  SDE_INLINE auto intersect(const T* line, T* x) {
    if constexpr (kAlone<Team>) {
      return loss_.intersect_normal(line, x);
    } else {
      team_.once([&] { f_[0] = select(loss_.intersect_normal(line, x), T(1.0), T(0.0)); });
      return f_[0] > T(0.5);
    }
  }
  SDE_INLINE auto newton(const T* line, T* x) {
    auto open = T(1.0) < T(0.0);
    const T tolerance = T(Retraction<T>::tolerance) * (T(1.0) + sqrt(T(1.0) / inverse_));
    for (int iteration = 0; iteration < Retraction<T>::most_iterations; ++iteration) {
      loss::residuals(loss_, x, f_.data(), team_);
      open = !(abs(f_[0]) <= tolerance);
      if (!any(open)) return open;
      const T t = select(open, f_[0] * inverse_, T(0.0));
      team_.each(d, [&](int k) { x[k] -= t * line[k]; });
    }
    loss::residuals(loss_, x, f_.data(), team_);
    return !(abs(f_[0]) <= tolerance * T(Retraction<T>::slack));
  }
  /// P_par A_s at the point of the last move.
  SDE_DEVICE void tangent_column(int s, T* column) const {
    T c = T(0.0);
    for (int k = 0; k < d; ++k) {
      column[k] = noise_.entry(d, s, k, here_.data());
      c += column[k] * v_[k];
    }
    for (int k = 0; k < d; ++k) column[k] -= c * inverse_ * v_[k];
  }
  struct Work {
    Buffer<T, D, Team> y, z, cross;
    SDE_DEVICE Work(int d, const Team& team) : y(d, team), z(d, team), cross(d, team) {}
  };
  struct NoWork {
    SDE_DEVICE NoWork(int, const Team&) {}
  };

  template <class Draw>
  SDE_INLINE void tangent_move(const T* x, const Prepared& p, Term term, double dt, Draw&& draw, T* move, T* here, T* v,
                               Work& work) {
    auto &y = work.y, &z = work.z, &cross = work.cross;  // not a structured binding: lambdas may not capture those
    team_.each(d, [&](int k) { here[k] = x[k]; });
    // v = grad f, not normalized: lengths enter squared, and no square root is taken.
    loss::jacobian(loss_, here, v, team_);
    metric_.begin(d, 1, v, noise_, here, team_);
    const T lambda = dot(v, v);
    const T inverse = T(1.0) / lambda;
    const T scale = T(std::sqrt(dt / p.diffusion_batch()));
    // cross = Sigma v of the additive noise, move = A xi; then both without their normal parts.
    if (noise_.diagonal) {
      for (int k = 0; k < d; ++k) {
        const T step = scale * draw();
        team_.mine(k, [&] {
          const T a = metric_(k, T(noise_.factor[k * d + k]));
          move[k] = a * step;
          cross[k] = a * (a * v[k]);
        });
      }
    } else {
      team_.strided(d, [&](int k) { cross[k] = move[k] = T(0.0); });
      for (int s = 0; s < noise_dimension(); ++s) {
        T c = v[0] * entry(s, 0, here);
        for (int k = 1; k < d; ++k) c += v[k] * entry(s, k, here);
        const T step = scale * draw();
        team_.strided(d, [&](int k) {
          const T a = entry(s, k, here);
          cross[k] += c * a;
          move[k] += step * a;
        });
      }
    }
    team_.sync();
    const T square = dot(v, cross.data()), cross_along = square * inverse, move_along = dot(v, move) * inverse;
    team_.sync();
    team_.strided(d, [&](int k) {
      cross[k] -= cross_along * v[k];
      move[k] -= move_along * v[k];
    });
    // y = M v: the normal block, then the tangent-normal one.
    const Mode<T> normal = mode(p, lambda, false);
    const T hat = p.eta > 0 ? hat_weight(p, lambda, T(0.0)) : inverse;
    const T hat_normal = p.eta > 0 ? hat_weight(p, lambda, lambda) : T(0.5) * inverse;
    const TableRow<T> table(p, normal, false);
    const T both = weight_of(term, p, hat_normal,
                             [&] { return p.weights ? table.own : psi_factor(p, normal, normal, hat_normal); }) *
                   (square * inverse + lambda * T(noise_.label_scale(1)));
    const T mixed =
        weight_of(term, p, hat, [&] { return p.weights ? table.mixed : psi_factor(p, normal, Mode<T>{}, hat); }) *
        T(p.factors.tangent_normal);
    // drift = -2 P_par F M grad f
    const T factor = T(-2.0 * dt);
    team_.strided(d, [&](int k) { y[k] = both * v[k] + mixed * cross[k]; });
    team_.sync();
    metric_.turn(d, y.data(), team_);
    loss::weighted_hvp(loss_, here, &factor, y.data(), z.data(), team_);
    metric_.turn(d, z.data(), team_);
    const T along = dot(v, z.data()) * inverse;
    team_.each(d, [&](int k) { move[k] = metric_(k, move[k] + (z[k] - along * v[k])); });
    inverse_ = inverse;
  }

  SDE_INLINE T dot(const T* u, const T* w) const {
    T sum = u[0] * w[0];
    for (int k = 1; k < d; ++k) sum += u[k] * w[k];
    return sum;
  }

  const L& loss_;
  const NoiseView<scalar_of<T>> noise_;
  const Team team_;
  Buffer<T, D, Team> here_, v_;  ///< of the last move: where it began, and the normal there, grad f
  Buffer<T, 1, Team> f_;
  Buffer<T, Metric::kMoves ? D : 0, Team> line_;  ///< the normal as theta has it
  std::conditional_t<kInRegisters, NoWork, Work> work_;
  T inverse_{};  ///< 1/lambda
  Metric metric_;
};

}  // namespace sde::slow
