// Derivatives of a loss: the hand-written override where the loss has one, automatic differentiation otherwise.
// f_i are the residuals, J = (d_j f_i) the n x d Jacobian (row-major), F_i the Hessian of f_i.
// T is double or a pack of doubles. All arrays are the caller's.
#pragma once

#include "sde/core/dual.hpp"
#include "sde/loss/concepts.hpp"

namespace sde::loss {

namespace detail {

/// Derivative directions carried by one automatic pass: all of them for small static sizes, four otherwise.
template <class L>
constexpr int chunk = dim_of<L> > 0 && dim_of<L> <= 4 ? dim_of<L> : 4;

/// Scratch of the automatic passes: on the stack for static sizes, else one array for each thread, type and role.
struct ThetaTag;
struct ResidualTag;
struct GradientTag;

template <class T, int N, class Tag>
struct Scratch {
  Buffer<T, N> storage;
  explicit Scratch(int size) : storage(size) {}
  T* data() { return storage.data(); }
};
template <class T, class Tag>
struct Scratch<T, kDynamic, Tag> {
  T* values;
  explicit Scratch(int size) {
    thread_local std::vector<T> storage;
    if (storage.size() < static_cast<std::size_t>(size)) storage.resize(static_cast<std::size_t>(size));
    values = storage.data();
  }
  T* data() { return values; }
};

/// Calls `use(start, x, f)` for each chunk of coordinate directions, x seeded at theta + sum_j e_j eps_j.
template <class L, class T, class Use>
void forward_chunks(const L& loss, const T* theta, Use use) {
  constexpr int C = chunk<L>;
  using D = Dual<T, C>;
  const int d = loss.dim();
  Scratch<D, dim_of<L>, ThetaTag> x(d);
  for (int j = 0; j < d; ++j) x.data()[j] = D(theta[j]);
  for (int start = 0; start < d; start += C) {
    for (int c = 0; c < C && start + c < d; ++c) x.data()[start + c].d[c] = T(1.0);
    use(start, x.data());
    for (int c = 0; c < C && start + c < d; ++c) x.data()[start + c].d[c] = T(0.0);
  }
}

}  // namespace detail

/// f[n] = residuals at theta[d].
template <SquaredLoss L, class T>
void residuals(const L& loss, const T* theta, T* f) {
  loss.residuals(theta, f);
}

/// J[n*d] = Jacobian of the residuals (row i = gradient of f_i).
template <SquaredLoss L, class T>
void jacobian_automatic(const L& loss, const T* theta, T* J) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Dual<T, C>, residuals_of<L>, detail::ResidualTag> f(n);
  detail::forward_chunks(loss, theta, [&](int start, const Dual<T, C>* x) {
    loss.residuals(x, f.data());
    for (int i = 0; i < n; ++i)
      for (int c = 0; c < C && start + c < d; ++c) J[i * d + start + c] = f.data()[i].d[c];
  });
}
template <SquaredLoss L, class T>
void jacobian(const L& loss, const T* theta, T* J) {
  if constexpr (requires { loss.jacobian(theta, J); })
    loss.jacobian(theta, J);
  else
    jacobian_automatic(loss, theta, J);
}

/// g[d] = J^T w for weights w[n] (a vector-Jacobian product).
template <SquaredLoss L, class T>
void pullback_automatic(const L& loss, const T* theta, const T* w, T* g) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Dual<T, C>, residuals_of<L>, detail::ResidualTag> f(n);
  detail::forward_chunks(loss, theta, [&](int start, const Dual<T, C>* x) {
    loss.residuals(x, f.data());
    for (int c = 0; c < C && start + c < d; ++c) {
      T sum = w[0] * f.data()[0].d[c];
      for (int i = 1; i < n; ++i) sum += w[i] * f.data()[i].d[c];
      g[start + c] = sum;
    }
  });
}
template <SquaredLoss L, class T>
void pullback(const L& loss, const T* theta, const T* w, T* g) {
  if constexpr (requires { loss.pullback(theta, w, g); })
    loss.pullback(theta, w, g);
  else
    pullback_automatic(loss, theta, w, g);
}

/// out[d] = sum_i c_i F_i u for weights c[n] and a direction u[d].
template <SquaredLoss L, class T>
void weighted_hvp_automatic(const L& loss, const T* theta, const T* c, const T* u, T* out) {
  constexpr int C = detail::chunk<L>;
  using Inner = Dual<T, 1>;
  using Outer = Dual<Inner, C>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Inner, dim_of<L>, detail::ThetaTag> shifted(d);
  detail::Scratch<Outer, residuals_of<L>, detail::ResidualTag> f(n);
  for (int j = 0; j < d; ++j) {
    shifted.data()[j].v = theta[j];
    shifted.data()[j].d[0] = u[j];
  }
  detail::forward_chunks(loss, static_cast<const Inner*>(shifted.data()), [&](int start, const Outer* x) {
    loss.residuals(x, f.data());
    for (int k = 0; k < C && start + k < d; ++k) {
      T sum = c[0] * f.data()[0].d[k].d[0];
      for (int i = 1; i < n; ++i) sum += c[i] * f.data()[i].d[k].d[0];
      out[start + k] = sum;
    }
  });
}
template <SquaredLoss L, class T>
void weighted_hvp(const L& loss, const T* theta, const T* c, const T* u, T* out) {
  using One = Dual<T, 1>;
  if constexpr (requires { loss.weighted_hvp(theta, c, u, out); }) {
    loss.weighted_hvp(theta, c, u, out);
  } else if constexpr (requires(const One* x, One* g) { loss.pullback(x, x, g); }) {
    // The derivative of the hand-written J^T c along u: one pass instead of one for each chunk of coordinates.
    const int d = loss.dim(), n = loss.residual_count();
    detail::Scratch<One, dim_of<L>, detail::ThetaTag> x(d);
    detail::Scratch<One, dim_of<L>, detail::GradientTag> g(d);
    detail::Scratch<One, residuals_of<L>, detail::ResidualTag> w(n);
    for (int j = 0; j < d; ++j) {
      x.data()[j].v = theta[j];
      x.data()[j].d[0] = u[j];
    }
    for (int i = 0; i < n; ++i) w.data()[i] = One(c[i]);
    loss.pullback(x.data(), w.data(), g.data());
    for (int j = 0; j < d; ++j) out[j] = g.data()[j].d[0];
  } else {
    weighted_hvp_automatic(loss, theta, c, u, out);
  }
}

/// phi[n], phi_i = u^T F_i u: the second derivative of every residual along u[d].
template <SquaredLoss L, class T>
void curvature(const L& loss, const T* theta, const T* u, T* phi) {
  using Inner = Dual<T, 1>;
  using Outer = Dual<Inner, 1>;
  const int d = loss.dim(), n = loss.residual_count();
  detail::Scratch<Outer, dim_of<L>, detail::ThetaTag> x(d);
  detail::Scratch<Outer, residuals_of<L>, detail::ResidualTag> f(n);
  for (int j = 0; j < d; ++j) {
    Inner inner;
    inner.v = theta[j];
    inner.d[0] = u[j];
    x.data()[j].v = inner;
    x.data()[j].d[0] = Inner(u[j]);
  }
  loss.residuals(x.data(), f.data());
  for (int i = 0; i < n; ++i) phi[i] = f.data()[i].d[0].d[0];
}

/// L(theta).
template <Loss L, class T>
T value(const L& loss, const T* theta) {
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

/// g[d] = grad L(theta), by one forward pass for each chunk of coordinates (any loss).
template <Loss L, class T>
void gradient_automatic(const L& loss, const T* theta, T* g) {
  constexpr int C = detail::chunk<L>;
  const int d = loss.dim();
  detail::forward_chunks(loss, theta, [&](int start, const Dual<T, C>* x) {
    const Dual<T, C> y = value(loss, x);
    for (int c = 0; c < C && start + c < d; ++c) g[start + c] = y.d[c];
  });
}

/// out[d] = Hess(L) u.
template <Loss L>
void hessian_vector(const L& loss, const double* theta, const double* u, double* out) {
  constexpr int C = detail::chunk<L>;
  using Inner = Dual<double, 1>;
  const int d = loss.dim();
  std::vector<Inner> x(static_cast<std::size_t>(d));
  for (int j = 0; j < d; ++j) {
    x[j].v = theta[j];
    x[j].d[0] = u[j];
  }
  detail::forward_chunks(loss, static_cast<const Inner*>(x.data()), [&](int start, const Dual<Inner, C>* y) {
    const Dual<Inner, C> r = value(loss, y);
    for (int c = 0; c < C && start + c < d; ++c) out[start + c] = r.d[c].d[0];
  });
}

/// out[d] = gradient of (u^T Hess(L) u), that is D3L[u u^T].
template <Loss L>
void third_along(const L& loss, const double* theta, const double* u, double* out) {
  constexpr int C = detail::chunk<L>;
  using One = Dual<double, 1>;
  using Two = Dual<One, 1>;
  const int d = loss.dim();
  std::vector<Two> x(static_cast<std::size_t>(d));
  for (int j = 0; j < d; ++j) {
    One inner;
    inner.v = theta[j];
    inner.d[0] = u[j];
    x[j].v = inner;
    x[j].d[0] = One(u[j]);
  }
  detail::forward_chunks(loss, static_cast<const Two*>(x.data()), [&](int start, const Dual<Two, C>* y) {
    const Dual<Two, C> r = value(loss, y);
    for (int c = 0; c < C && start + c < d; ++c) out[start + c] = r.d[c].d[0].d[0];
  });
}

}  // namespace sde::loss
