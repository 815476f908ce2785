// The slow SDE where Gamma is the zero set of one residual f: there is one normal direction, v = grad f/|grad f|, and
// one non-zero eigenvalue, lambda = |grad f|^2. The formulas of residual_geometry.hpp for n = 1, in one pass over the
// noise's columns and without arrays for them: for a loss of constant dimension a step stays in registers.
#pragma once

#include "sde/slow/residual_geometry.hpp"

namespace sde::slow {

template <SquaredLoss L, class T>
class HypersurfaceGeometry {
  static_assert(residuals_of<L> == 1);
  static constexpr int D = dim_of<L>;

 public:
  HypersurfaceGeometry(const L& loss, const Noise& noise)
      : d(loss.dim()), loss_(loss), noise_(noise), columns_(noise.columns()), v_(d), work_(d) {
    A_.resize(static_cast<std::size_t>(columns_ * d));
    if (noise.state_rank == 0 && columns_ > 0) noise_columns<T>(noise, d, nullptr, A_.data());
  }

  /// move[d] = drift dt + P_par A xi sqrt(dt/B) at x[d] on Gamma; draw() gives the components of xi.
  template <class Draw>
  SDE_INLINE void tangent_move(const T* x, const Parameters& p, double dt, Draw&& draw, T* move) {
    // On the stack where d is constant, so that the compiler keeps them in registers; else allocated once.
    std::conditional_t<(D > 0), Work, Work&> w = work_;
    auto& [here, v, y, z, cross] = w;
    for (int k = 0; k < d; ++k) here[k] = x[k];
    loss::jacobian(loss_, here.data(), v.data());
    T lambda = v[0] * v[0];
    for (int k = 1; k < d; ++k) lambda += v[k] * v[k];
    const T root = sqrt(lambda);
    const T inverse = T(1.0) / root;
    for (int k = 0; k < d; ++k) v[k] *= inverse;
    if (noise_.state_rank > 0) noise_columns(noise_, d, here.data(), A_.data());
    const T scale = T(std::sqrt(dt / p.batch));
    T square = T(0.0);  // <v, Sigma v> of the additive noise; cross = P_par Sigma v
    for (int k = 0; k < d; ++k) cross[k] = move[k] = T(0.0);
    for (int s = 0; s < columns_; ++s) {
      const T* a = &A_[static_cast<std::size_t>(s * d)];
      T c = v[0] * a[0];
      for (int k = 1; k < d; ++k) c += v[k] * a[k];
      square += c * c;
      const T step = scale * draw();
      for (int k = 0; k < d; ++k) {
        const T tangent = a[k] - c * v[k];
        cross[k] += c * tangent;
        move[k] += step * tangent;
      }
    }
    // M v: the normal block, then the tangent-normal one.
    const Mode<T> normal = mode(p, lambda);
    const T hat = p.eta > 0 ? hat_weight(p, lambda, T(0.0)) : inverse * inverse;
    const T both = weight(Term::drift, p, normal, normal, p.eta > 0 ? hat_weight(p, lambda, lambda) : T(0.5) * hat) *
                   (square + lambda * T(noise_.label_scale(1)));
    const T mixed = weight(Term::drift, p, normal, Mode<T>{}, hat);
    for (int k = 0; k < d; ++k) y[k] = both * v[k] + mixed * cross[k];
    // drift = -2 P_par F M grad f
    const T one = T(1.0);
    loss::weighted_hvp(loss_, here.data(), &one, y.data(), z.data());
    T along = v[0] * z[0];
    for (int k = 1; k < d; ++k) along += v[k] * z[k];
    const T factor = root * T(-2.0 * dt);
    for (int k = 0; k < d; ++k) move[k] += factor * (z[k] - along * v[k]);
    for (int k = 0; k < d; ++k) v_[k] = v[k];
    inverse_ = inverse;
  }

  /// out[d] += scale P_par A xi at the point of the last move.
  template <class Draw>
  void diffuse(T scale, Draw&& draw, T* out) const {
    for (int s = 0; s < columns_; ++s) {
      const T* a = &A_[static_cast<std::size_t>(s * d)];
      T c = v_[0] * a[0];
      for (int k = 1; k < d; ++k) c += v_[k] * a[k];
      const T step = scale * draw();
      for (int k = 0; k < d; ++k) out[k] += step * (a[k] - c * v_[k]);
    }
  }
  int noise_dimension() const { return columns_; }

  /// Retraction along the normal at the point of the last move, in closed form where the loss has one. Returns the
  /// lanes that did not converge.
  SDE_INLINE auto retract(T* x) {
    if constexpr (requires { loss_.intersect_normal(v_.data(), x); }) {
      return loss_.intersect_normal(v_.data(), x);
    } else {
      auto open = T(1.0) < T(0.0);
      T f;
      const T tolerance = T(Retraction<T>::tolerance) * (T(1.0) + T(1.0) / inverse_);
      for (int iteration = 0; iteration < Retraction<T>::most_iterations; ++iteration) {
        loss::residuals(loss_, x, &f);
        open = !(abs(f) <= tolerance);
        if (!any(open)) return open;
        const T t = select(open, f * inverse_, T(0.0));
        for (int k = 0; k < d; ++k) x[k] -= t * v_[k];
      }
      loss::residuals(loss_, x, &f);
      return !(abs(f) <= tolerance * T(Retraction<T>::slack));
    }
  }

  const int d;

 private:
  const L& loss_;
  const Noise& noise_;
  const int columns_;
  struct Work {
    Buffer<T, D> here, v, y, z, cross;
    explicit Work(int d) : here(d), v(d), y(d), z(d), cross(d) {}
  };
  Buffer<T, D> v_;  ///< the normal
  Work work_;
  T inverse_{};  ///< 1/|grad f|
  std::vector<T> A_;
};

}  // namespace sde::slow
