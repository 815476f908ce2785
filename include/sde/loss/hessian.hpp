// Second and third derivatives of a loss as a whole (derivatives.hpp has those of residuals): by hand where a loss
// without residuals has them, else automatic. H = Hess L, D3L[M] = grad tr(M H) for a constant M. T is double or a
// pack. All arrays are the caller's; a team shares them and the work.
#pragma once

#include "sde/core/jet.hpp"
#include "sde/loss/derivatives.hpp"

namespace sde::loss {

/// out[d] = Hess(L) u.
template <Loss L, class T, class Team = Solo>
SDE_DEVICE void hessian_vector(const L& loss, const T* theta, const T* u, T* out, const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  using Inner = Dual<T, 1>;
  const int d = loss.dim();
  detail::Scratch<Inner, dim_of<L>, detail::ThetaTag, Team> shifted(d, team);
  Inner* const x = shifted.data();
  for (int j = 0; j < d; ++j) {
    x[j].v = theta[j];
    x[j].d[0] = u[j];
  }
  detail::forward_chunks(
      loss, static_cast<const Inner*>(x),
      [&](int start, const Dual<Inner, C>* y) {
        const Dual<Inner, C> r = value(loss, y);
        for (int c = 0; c < C && start + c < d; ++c) out[start + c] = r.d[c].d[0];
      },
      team);
}

/// out[d] = D3L[u w^T], the gradient of u^T Hess(L) w.
template <Loss L, class T, class Team = Solo>
SDE_DEVICE void third_automatic(const L& loss, const T* theta, const T* u, const T* w, T* out, const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  using One = Dual<T, 1>;
  using Two = Dual<One, 1>;
  const int d = loss.dim();
  detail::Scratch<Two, dim_of<L>, detail::ThetaTag, Team> shifted(d, team);
  Two* const x = shifted.data();
  for (int j = 0; j < d; ++j) {
    x[j].v.v = theta[j];
    x[j].v.d[0] = u[j];
    x[j].d[0] = One(w[j]);
  }
  detail::forward_chunks(
      loss, static_cast<const Two*>(x),
      [&](int start, const Dual<Two, C>* y) {
        const Dual<Two, C> r = value(loss, y);
        for (int c = 0; c < C && start + c < d; ++c) out[start + c] = r.d[c].d[0].d[0];
      },
      team);
}
/// out[d] = gradient of (u^T Hess(L) u), that is D3L[u u^T].
template <Loss L>
void third_along(const L& loss, const double* theta, const double* u, double* out) {
  third_automatic(loss, theta, u, u, out);
}

/// H[d*d] = Hess(L) by differentiation along one coordinate after the other, symmetric to the bit.
template <ValueLoss L, class T, class Team = Solo>
SDE_DEVICE void hessian_automatic(const L& loss, const T* theta, T* H, const Team& team = {}) {
  const int d = loss.dim();
  detail::Scratch<T, dim_of<L>, detail::GradientTag, Team> unit(d, team);
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j < d; ++j) unit.data()[j] = T(i == j ? 1.0 : 0.0);
    hessian_vector(loss, theta, static_cast<const T*>(unit.data()), H + i * d, team);
  }
  team.each(d, [&](int i) {
    for (int j = 0; j < i; ++j) H[i * d + j] = H[j * d + i] = T(0.5) * (H[i * d + j] + H[j * d + i]);
  });
}

namespace detail {
/// H of a squared loss, (J^T J + sum_i f_i F_i) / n, as many columns at a time as a pack has lanes.
template <SquaredLoss L>
void hessian_of_residuals(const L& loss, const double* theta, double* H) {
  const int d = loss.dim(), n = loss.residual_count();
  std::vector<double> f(static_cast<std::size_t>(n)), J(static_cast<std::size_t>(n * d));
  residuals(loss, theta, f.data());
  jacobian(loss, theta, J.data());
  const std::vector<Real> x(theta, theta + d);
  std::vector<Real> c(f.begin(), f.end()), u(x.size()), columns(x.size());
  for (Real& weight : c) weight *= Real(1.0 / n);
  for (int first = 0; first < d; first += lanes_of<Real>) {
    const int count = d - first < lanes_of<Real> ? d - first : lanes_of<Real>;
    std::fill(u.begin(), u.end(), Real(0.0));
    for (int l = 0; l < count; ++l) u[first + l].set(l, 1.0);
    weighted_hvp(loss, x.data(), static_cast<const Real*>(c.data()), static_cast<const Real*>(u.data()),
                 columns.data());
    for (int i = 0; i < n; ++i) {
      Real slope(0.0);
      for (int l = 0; l < count; ++l) slope.set(l, J[i * d + first + l] / n);
      for (int k = 0; k < d; ++k) columns[k] += slope * J[i * d + k];
    }
    for (int k = 0; k < d; ++k)
      for (int l = 0; l < count; ++l) H[k * d + first + l] = columns[k][l];
  }
}
}  // namespace detail

/// H[d*d] at theta[d].
template <Loss L>
void hessian(const L& loss, const double* theta, double* H) {
  if constexpr (SquaredLoss<L>)
    detail::hessian_of_residuals(loss, theta, H);
  else if constexpr (requires { loss.hessian(theta, H); })
    loss.hessian(theta, H);
  else
    hessian_automatic(loss, theta, H);
}

/// A loss without residuals at one point: its Hessian, then third derivatives there. Where the loss has neither by hand
/// and few coordinates, one pass finds all of both (Jet); else each pass is along two directions.
template <ValueLoss L, class T, class Team = Solo>
class Expansion {
  static constexpr int D = dim_of<L>;
  /// Third derivatives of more variables do not pay: a Jet's are D^3/6, of which Gamma's normals ask for few.
  static constexpr int kMostVariables = 4;
  static constexpr bool kHessianByHand = requires(const L& loss, const T* x, T* H) { loss.hessian(x, H); };
  static constexpr bool kThirdByHand = requires(const L& loss, const T* x, T* out) { loss.third_along(x, x, out); };
  static constexpr bool kInOnePass = D > 0 && D <= kMostVariables&& kAlone<Team> && !(kHessianByHand && kThirdByHand);
  using Indices = sde::detail::JetIndices<kInOnePass ? D : 1>;

 public:
  SDE_DEVICE Expansion(const L& loss, const Team& team = {})
      : loss_(loss),
        team_(team),
        d_(loss.dim()),
        ahead_(d_, team),
        third_(kInOnePass ? int(Indices::triples) : int(d_), team) {}

  /// H[d*d] = Hess L at x[d], to which the call below refers: x stays.
  SDE_FLAT void at(const T* x, T* H) {
    x_ = x;
    if constexpr (kInOnePass) {
      Jet<T, D> point[D];
      for (int k = 0; k < D; ++k) point[k] = Jet<T, D>::variable(x[k], k);
      const Jet<T, D> y = loss_.value(static_cast<const Jet<T, D>*>(point));
      sde::detail::with_constants<Indices::pairs>([&](auto n) {
        constexpr auto p = Indices::pair(n);
        H[p.i * D + p.j] = H[p.j * D + p.i] = y.second[n];
      });
      sde::detail::with_constants<Indices::triples>([&](auto n) { third_[n] = y.third[n]; });
    } else if constexpr (kHessianByHand) {
      team_.once([&] { loss_.hessian(x, H); });
    } else {
      hessian_automatic(loss_, x, H, team_);
    }
  }

  /// out[d] = D3L[u w^T].
  SDE_DEVICE void third(const T* u, const T* w, T* out) {
    if constexpr (kInOnePass) {
      for (int k = 0; k < D; ++k) out[k] = T(0.0);
      sde::detail::with_constants<Indices::pairs>([&](auto n) {
        constexpr auto p = Indices::pair(n);
        T product = u[p.i] * w[p.j];
        if constexpr (p.i != p.j) product += u[p.j] * w[p.i];
        sde::detail::with_constants<D>([&](auto k) { out[k] += third_[Indices::of(p.i, p.j, k)] * product; });
      });
    } else if constexpr (kThirdByHand) {
      by_polarization(u, w, out);
    } else {
      third_automatic(loss_, x_, u, w, out, team_);
    }
  }

 private:
  /// 4 u w^T, symmetrized, is the difference of (u + w)(u + w)^T and (u - w)(u - w)^T. Directions of the same length,
  /// so that neither is lost beside the other.
  SDE_DEVICE void by_polarization(const T* u, const T* w, T* out) {
    T uu = u[0] * u[0], ww = w[0] * w[0];
    for (int k = 1; k < d_; ++k) {
      uu += u[k] * u[k];
      ww += w[k] * w[k];
    }
    const auto both = (uu > T(0.0)) & (ww > T(0.0));
    const T ratio = sqrt(select(both, uu, T(1.0)) / select(both, ww, T(1.0)));
    const T factor = select(both, T(0.25) / ratio, T(0.0));
    team_.each(d_, [&](int k) { ahead_[k] = u[k] + ratio * w[k]; });
    team_.once([&] { loss_.third_along(x_, static_cast<const T*>(ahead_.data()), out); });
    team_.each(d_, [&](int k) { ahead_[k] = u[k] - ratio * w[k]; });
    team_.once([&] { loss_.third_along(x_, static_cast<const T*>(ahead_.data()), third_.data()); });
    team_.each(d_, [&](int k) { out[k] = factor * (out[k] - third_[k]); });
  }

  const L& loss_;
  const Team team_;
  const Extent<D> d_;
  const T* x_ = nullptr;
  Buffer<T, kInOnePass ? 1 : D, Team> ahead_;
  Buffer<T, kInOnePass ? int(Indices::triples) : D, Team> third_;  ///< all, by number; else those along one direction
};

}  // namespace sde::loss
