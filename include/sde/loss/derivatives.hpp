// Derivatives of a loss: the hand-written override where the loss has one; else what follows from another one;
// automatic differentiation otherwise. f_i are the residuals, J = (d_j f_i) the n x d Jacobian (row-major), F_i the
// Hessian of f_i. T is double or a pack. All arrays are the caller's; a team shares them and the work.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "sde/core/dual_functions.hpp"
#include "sde/core/lookup.hpp"
#include "sde/loss/concepts.hpp"
#include "sde/loss/drawn.hpp"

namespace sde::loss {

namespace detail {

/// Derivative directions carried by one automatic pass: all of them for small static sizes, four otherwise.
template <class L>
constexpr int chunk = dim_of<L> > 0 && dim_of<L> <= 4 ? dim_of<L> : 4;

/// Scratch of the automatic passes: on the stack for static sizes, else one array for each thread, type and role; a
/// team's members each have their own.
struct ThetaTag;
struct ResidualTag;
struct GradientTag;

template <class T, int N, class Tag, class Team = Solo>
struct Scratch {
  const Team& team;
  const std::size_t before;
  T* values;
  SDE_DEVICE Scratch(int size, const Team& members)
      : team(members), before(team.used()), values(team.template take<T>(size * team.size()) + size * team.member()) {}
  Scratch(const Scratch&) = delete;
  SDE_DEVICE ~Scratch() { team.give_back(before); }
  SDE_DEVICE T* data() { return values; }
};
template <class T, int N, class Tag>
struct Scratch<T, N, Tag, Solo> {
  Buffer<T, N> storage;
  SDE_DEVICE explicit Scratch(int size, Solo = {}) : storage(size) {}
  SDE_DEVICE T* data() { return storage.data(); }
};
template <class T, class Tag>
struct Scratch<T, kDynamic, Tag, Solo> {
  T* values;
  explicit Scratch(int size, Solo = {}) {
    thread_local std::vector<T> storage;
    if (storage.size() < static_cast<std::size_t>(size)) storage.resize(static_cast<std::size_t>(size));
    values = storage.data();
  }
  T* data() { return values; }
};

/// An array for as long as it lives, the same for all members of a team.
template <class T, class Team>
struct SharedScratch {
  const Team& team;
  const std::size_t before;
  T* const values;
  SDE_DEVICE SharedScratch(int size, const Team& members)
      : team(members), before(team.used()), values(team.template take<T>(size)) {}
  SharedScratch(const SharedScratch&) = delete;
  SDE_DEVICE ~SharedScratch() { team.give_back(before); }
};

/// Calls `use(start, x)` for each chunk of coordinate directions, x seeded at theta + sum_j e_j eps_j.
template <class L, class T, class Use, class Team = Solo>
SDE_DEVICE void forward_chunks(const L& loss, const T* theta, Use use, const Team& team = {}) {
  constexpr int C = chunk<L>;
  using D = Dual<T, C>;
  const int d = loss.dim();
  Scratch<D, dim_of<L>, ThetaTag, Team> scratch(d, team);
  D* const x = scratch.data();
  for (int j = 0; j < d; ++j) x[j] = D(theta[j]);
  team.each((d + C - 1) / C, [&](int number) {
    const int start = number * C;
    for (int c = 0; c < C && start + c < d; ++c) x[start + c].d[c] = T(1.0);
    use(start, static_cast<const D*>(x));
    for (int c = 0; c < C && start + c < d; ++c) x[start + c].d[c] = T(0.0);
  });
}

/// Whether several threads work on one path: then they share the entries of what is asked for, where a loss gives them
/// one by one (concepts.hpp).
template <class Team>
constexpr bool kShared = !kAlone<Team>;

}  // namespace detail

/// f[n] = residuals at theta[d].
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void residuals(const L& loss, const T* theta, T* f, const Team& team = {}) {
  if constexpr (detail::kShared<Team> && requires { loss.residual(0, theta); })
    team.each(loss.residual_count(), [&](int i) { f[i] = loss.residual(i, theta); });
  else
    team.once([&] { loss.residuals(theta, f); });
}

/// J[n*d] = Jacobian of the residuals (row i = gradient of f_i).
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void jacobian_automatic(const L& loss, const T* theta, T* J, const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Dual<T, C>, residuals_of<L>, detail::ResidualTag, Team> f(n, team);
  detail::forward_chunks(
      loss, theta,
      [&](int start, const Dual<T, C>* x) {
        loss.residuals(x, f.data());
        for (int i = 0; i < n; ++i)
          for (int c = 0; c < C && start + c < d; ++c) J[i * d + start + c] = f.data()[i].d[c];
      },
      team);
}
/// J[n * d] at theta[d], row i the gradient of residual i: the loss's own, or by differentiation.
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void jacobian(const L& loss, const T* theta, T* J, const Team& team = {}) {
  if constexpr (detail::kShared<Team> && requires { loss.jacobian_entry(0, 0, theta); }) {
    const int d = loss.dim();
    team.each(loss.residual_count() * d, [&](int k) { J[k] = loss.jacobian_entry(k / d, k % d, theta); });
  } else if constexpr (requires { loss.jacobian(theta, J); }) {
    team.once([&] { loss.jacobian(theta, J); });
  } else if constexpr (DrawnLoss<L>) {
    team.once([&] {
      for (int i = 0; i < loss.residual_count(); ++i)
        loss.linearize(theta, loss.input(i), loss.label(i), J + i * loss.dim());
    });
  } else {
    jacobian_automatic(loss, theta, J, team);
  }
}

namespace detail {
/// Whether the Jacobian is written by hand: as such, or row by row with the samples.
template <class L>
concept JacobianByHand = DrawnLoss<L> || requires(const L& loss, const double* theta, double* J) {
  loss.jacobian(theta, J);
};
/// Whether J^T w is written by hand: as such, or, of one residual, as its gradient. At numbers T.
template <class L, class T>
concept PullbackByHand = requires(const L& loss, const T* theta, T* g) {
  loss.pullback(theta, theta, g);
}
|| (residuals_of<L> == 1 && requires(const L& loss, const T* theta, T* g) { loss.jacobian(theta, g); });

template <class L, class T>
requires PullbackByHand<L, T> SDE_INLINE void pullback_by_hand(const L& loss, const T* theta, const T* w, T* g) {
  if constexpr (requires { loss.pullback(theta, w, g); }) {
    loss.pullback(theta, w, g);
  } else {
    loss.jacobian(theta, g);
    for (int j = 0; j < loss.dim(); ++j) g[j] *= w[0];
  }
}
}  // namespace detail

/// g[d] = J^T w for weights w[n] (a vector-Jacobian product).
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void pullback_automatic(const L& loss, const T* theta, const T* w, T* g, const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Dual<T, C>, residuals_of<L>, detail::ResidualTag, Team> f(n, team);
  detail::forward_chunks(
      loss, theta,
      [&](int start, const Dual<T, C>* x) {
        loss.residuals(x, f.data());
        for (int c = 0; c < C && start + c < d; ++c) {
          T sum = w[0] * f.data()[0].d[c];
          for (int i = 1; i < n; ++i) sum += w[i] * f.data()[i].d[c];
          g[start + c] = sum;
        }
      },
      team);
}
/// The same from the samples' gradients, one after the other.
template <DrawnLoss L, class T, class Team = Solo>
SDE_DEVICE void pullback_of_samples(const L& loss, const T* theta, const T* w, T* g, const Team& team = {}) {
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<T, dim_of<L>, detail::GradientTag, Team> row(d, team);
  team.once([&] {
    for (int i = 0; i < n; ++i) {
      loss.linearize(theta, loss.input(i), loss.label(i), row.data());
      for (int j = 0; j < d; ++j) g[j] = i == 0 ? w[i] * row.data()[j] : g[j] + w[i] * row.data()[j];
    }
  });
}
/// g[d] = J^T w at theta[d] for w[n]: the loss's own, or by differentiation.
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void pullback(const L& loss, const T* theta, const T* w, T* g, const Team& team = {}) {
  if constexpr (detail::kShared<Team> && requires { loss.pullback_entry(0, theta, w); })
    team.each(loss.dim(), [&](int j) { g[j] = loss.pullback_entry(j, theta, w); });
  else if constexpr (detail::PullbackByHand<L, T>)
    team.once([&] { detail::pullback_by_hand(loss, theta, w, g); });
  else if constexpr (DrawnLoss<L>)
    pullback_of_samples(loss, theta, w, g, team);
  else
    pullback_automatic(loss, theta, w, g, team);
}

/// out[d] = sum_i c_i F_i u for weights c[n] and a direction u[d].
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void weighted_hvp_automatic(const L& loss, const T* theta, const T* c, const T* u, T* out,
                                       const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  using Inner = Dual<T, 1>;
  using Outer = Dual<Inner, C>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Inner, dim_of<L>, detail::ThetaTag, Team> shifted(d, team);
  detail::Scratch<Outer, residuals_of<L>, detail::ResidualTag, Team> f(n, team);
  for (int j = 0; j < d; ++j) {
    shifted.data()[j].v = theta[j];
    shifted.data()[j].d[0] = u[j];
  }
  detail::forward_chunks(
      loss, static_cast<const Inner*>(shifted.data()),
      [&](int start, const Outer* x) {
        loss.residuals(x, f.data());
        for (int k = 0; k < C && start + k < d; ++k) {
          T sum = c[0] * f.data()[0].d[k].d[0];
          for (int i = 1; i < n; ++i) sum += c[i] * f.data()[i].d[k].d[0];
          out[start + k] = sum;
        }
      },
      team);
}
/// The same as the derivative of the hand-written J^T c along u: one pass instead of one for each chunk of coordinates.
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void weighted_hvp_of_pullback(const L& loss, const T* theta, const T* c, const T* u, T* out,
                                         const Team& team = {}) {
  using One = Dual<T, 1>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<One, dim_of<L>, detail::ThetaTag, Team> x(d, team);
  detail::Scratch<One, dim_of<L>, detail::GradientTag, Team> g(d, team);
  detail::Scratch<One, residuals_of<L>, detail::ResidualTag, Team> w(n, team);
  team.once([&] {
    for (int j = 0; j < d; ++j) {
      x.data()[j].v = theta[j];
      x.data()[j].d[0] = u[j];
    }
    for (int i = 0; i < n; ++i) w.data()[i] = One(c[i]);
    detail::pullback_by_hand(loss, static_cast<const One*>(x.data()), static_cast<const One*>(w.data()), g.data());
    for (int j = 0; j < d; ++j) out[j] = g.data()[j].d[0];
  });
}
/// out[d] = sum_i c_i F_i u at theta[d] for c[n], u[d], F_i the Hessian of residual i: the loss's own, or by
/// differentiation.
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void weighted_hvp(const L& loss, const T* theta, const T* c, const T* u, T* out, const Team& team = {}) {
  using One = Dual<T, 1>;
  if constexpr (detail::kShared<Team> && requires { loss.weighted_hvp_entry(0, theta, c, u); })
    team.each(loss.dim(), [&](int j) { out[j] = loss.weighted_hvp_entry(j, theta, c, u); });
  else if constexpr (requires { loss.weighted_hvp(theta, c, u, out); })
    team.once([&] { loss.weighted_hvp(theta, c, u, out); });
  else if constexpr (detail::PullbackByHand<L, One>)
    weighted_hvp_of_pullback(loss, theta, c, u, out, team);
  else
    weighted_hvp_automatic(loss, theta, c, u, out, team);
}

/// phi[n], phi_i = u^T F_i u: the second derivative of every residual along u[d].
template <SquaredLoss L, class T, class Team = Solo>
SDE_DEVICE void curvature(const L& loss, const T* theta, const T* u, T* phi, const Team& team = {}) {
  using Inner = Dual<T, 1>;
  using Outer = Dual<Inner, 1>;
  const int d = loss.dim(), n = loss.residual_count();
  const auto along_u = [&](int j) {
    Inner inner;
    inner.v = theta[j];
    inner.d[0] = u[j];
    Outer outer;
    outer.v = inner;
    outer.d[0] = Inner(u[j]);
    return outer;
  };
  if constexpr (detail::kShared<Team> && requires(const Outer* x) { loss.residual(0, x); }) {
    detail::SharedScratch<Outer, Team> x(d, team);
    team.each(d, [&](int j) { x.values[j] = along_u(j); });
    team.each(n, [&](int i) { phi[i] = loss.residual(i, static_cast<const Outer*>(x.values)).d[0].d[0]; });
  } else {
    detail::Scratch<Outer, dim_of<L>, detail::ThetaTag, Team> x(d, team);
    detail::Scratch<Outer, residuals_of<L>, detail::ResidualTag, Team> f(n, team);
    team.once([&] {
      for (int j = 0; j < d; ++j) x.data()[j] = along_u(j);
      loss.residuals(static_cast<const Outer*>(x.data()), f.data());
      for (int i = 0; i < n; ++i) phi[i] = f.data()[i].d[0].d[0];
    });
  }
}

/// L(theta).
template <Loss L, class T>
SDE_DEVICE T value(const L& loss, const T* theta) {
  if constexpr (ValueLoss<L>) {
    return loss.value(theta);
  } else {
    const int n = loss.residual_count();
    detail::Scratch<T, residuals_of<L>, detail::ResidualTag> f(n);
    loss.residuals(theta, f.data());
    T sum = f.data()[0] * f.data()[0];
    for (int i = 1; i < n; ++i) sum = sum + f.data()[i] * f.data()[i];
    return sum * T(0.5 / n);
  }
}

namespace detail {
/// slope[c] = the derivative of L along direction c of x[d], c < count.
template <Loss L, class T, int C>
SDE_FLAT void slopes(const L& loss, const Dual<T, C>* x, int count, T* slope) {
  const Dual<T, C> y = value(loss, x);
  for (int c = 0; c < C && c < count; ++c) slope[c] = y.d[c];
}
}  // namespace detail

/// g[d] = grad L(theta), by one forward pass for each chunk of coordinates (any loss).
template <Loss L, class T, class Team = Solo>
SDE_DEVICE void gradient_automatic(const L& loss, const T* theta, T* g, const Team& team = {}) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim();
  detail::forward_chunks(
      loss, theta, [&](int start, const Dual<T, C>* x) { detail::slopes(loss, x, d - start, g + start); }, team);
}

/// g[d] = grad L at theta[d] of a loss without residuals: its own, or by differentiation.
template <ValueLoss L, class T, class Team = Solo>
SDE_DEVICE void gradient(const L& loss, const T* theta, T* g, const Team& team = {}) {
  if constexpr (requires { loss.gradient(theta, g); })
    team.once([&] { loss.gradient(theta, g); });
  else
    gradient_automatic(loss, theta, g, team);
}

}  // namespace sde::loss
