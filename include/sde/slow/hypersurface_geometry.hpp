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
    Work fresh(D > 0 ? static_cast<int>(d) : 0);
    auto& [here, v, y, z, cross] = D > 0 ? fresh : work_;
    for (int k = 0; k < d; ++k) here[k] = x[k];
    // v = grad f, not normalized: lengths enter squared, and no square root is taken.
    loss::jacobian(loss_, here.data(), v.data());
    const T lambda = dot(v.data(), v.data());
    const T inverse = T(1.0) / lambda;
    if (noise_.state_rank > 0) noise_columns(noise_, d, here.data(), A_.data());
    const T scale = T(std::sqrt(dt / p.batch));
    T square = T(0.0);  // <v, Sigma v> of the additive noise; cross = P_par Sigma v
    for (int k = 0; k < d; ++k) cross[k] = move[k] = T(0.0);
    for (int s = 0; s < columns_; ++s) {
      const T* a = &A_[static_cast<std::size_t>(s * d)];
      const T c = dot(v.data(), a);
      square += c * c;
      const T normal_part = c * inverse;
      const T step = scale * draw();
      for (int k = 0; k < d; ++k) {
        const T tangent = a[k] - normal_part * v[k];
        cross[k] += c * tangent;
        move[k] += step * tangent;
      }
    }
    // y = M v: the normal block, then the tangent-normal one.
    const Mode<T> normal = mode(p, lambda);
    const T hat = p.eta > 0 ? hat_weight(p, lambda, T(0.0)) : inverse;
    const T hat_normal = p.eta > 0 ? hat_weight(p, lambda, lambda) : T(0.5) * inverse;
    const T both =
        weight(Term::drift, p, normal, normal, hat_normal) * (square * inverse + lambda * T(noise_.label_scale(1)));
    const T mixed = weight(Term::drift, p, normal, Mode<T>{}, hat);
    for (int k = 0; k < d; ++k) y[k] = both * v[k] + mixed * cross[k];
    // drift = -2 P_par F M grad f
    const T factor = T(-2.0 * dt);
    loss::weighted_hvp(loss_, here.data(), &factor, y.data(), z.data());
    const T along = dot(v.data(), z.data()) * inverse;
    for (int k = 0; k < d; ++k) move[k] += z[k] - along * v[k];
    for (int k = 0; k < d; ++k) v_[k] = v[k];
    inverse_ = inverse;
  }

  /// out[d] += scale P_par A xi at the point of the last move.
  template <class Draw>
  void diffuse(T scale, Draw&& draw, T* out) const {
    for (int s = 0; s < columns_; ++s) {
      const T* a = &A_[static_cast<std::size_t>(s * d)];
      const T c = dot(v_.data(), a) * inverse_;
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
      const T tolerance = T(Retraction<T>::tolerance) * (T(1.0) + sqrt(T(1.0) / inverse_));
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

  const Extent<D> d;

 private:
  SDE_INLINE T dot(const T* u, const T* w) const {
    T sum = u[0] * w[0];
    for (int k = 1; k < d; ++k) sum += u[k] * w[k];
    return sum;
  }

  const L& loss_;
  const Noise& noise_;
  const int columns_;
  struct Work {
    Buffer<T, D> here, v, y, z, cross;
    explicit Work(int d) : here(d), v(d), y(d), z(d), cross(d) {}
  };
  Buffer<T, D> v_;  ///< the normal, grad f
  Work work_;
  T inverse_{};  ///< 1/lambda
  std::vector<T> A_;
};

}  // namespace sde::slow
