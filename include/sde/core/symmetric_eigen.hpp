// Eigenpairs of a positive semidefinite matrix: Householder's tridiagonal form, then implicit QL steps (Golub, Van Loan,
// Matrix Computations, 8.3; EISPACK's tred2 and tql2). Lanes take as many QL steps as the slowest of them; one that
// needs none keeps its values, so a lane's result does not depend on its neighbours. About 8 n^3 operations.
#pragma once

#include <type_traits>

#include "sde/core/buffer.hpp"
#include "sde/core/math.hpp"

namespace sde {

/// Working storage of symmetric_eigen() for n x n matrices: times(kEigenWork, n) numbers.
inline constexpr int kEigenWork = 4;

namespace detail {

/// f(size, first) for first = from .. n - 1: by one thread `kBlock` of them at a time, which keeps several sums, each in
/// its own order, going at once; by a team one each. `size` is a constant.
template <int kBlock, class Team, class F>
SDE_INLINE void in_blocks(int from, int n, const Team& team, F f) {
  using One = std::integral_constant<int, 1>;
  if constexpr (kAlone<Team>) {
    int i = from;
    for (; i + kBlock <= n; i += kBlock) f(std::integral_constant<int, kBlock>{}, i);
    for (; i < n; ++i) f(One{}, i);
  } else {
    team.each(n - from, [&](int i) { f(One{}, from + i); });
  }
}
inline constexpr int kEigenBlock = 4;

/// A becomes tridiagonal, in reverse: d[n] is the diagonal and e[i] stands between i and i + 1, where row k of A has the
/// number n - 1 - k. Reflections take the large eigenvalues first, and QL steps want the small ones first. The
/// reflections stand in A's rows behind the diagonal, their factors in beta; p is storage.
template <class T, class Team>
SDE_DEVICE void tridiagonalize(int n, T* A, T* d, T* e, T* beta, T* p, const Team& team) {
  const T zero(0.0), least(sizeof(scalar_of<T>) == 8 ? 1e-290 : 1e-35);
  for (int k = 0; k < n - 1; ++k) {
    T* const v = A + k * n;
    const T head = v[k + 1];
    T tail = zero;
    for (int i = k + 2; i < n; ++i) tail += v[i] * v[i];
    // (head, tail) becomes (alpha, 0) by 1 - beta v v^T; nothing is to be done where tail is 0.
    const auto some = tail > least;
    const T norm = sqrt(head * head + tail), size = norm + abs(head);
    const T alpha = select(some, select(head < zero, norm, -norm), head);
    const T factor = select(some, T(1.0) / select(some, norm * size, T(1.0)), zero);
    team.once([&] {
      e[n - 2 - k] = alpha;
      beta[k] = factor;
      v[k + 1] = head - alpha;
    });
    in_blocks<kEigenBlock>(k + 1, n, team, [&](auto block, int first) {
      T sums[block];
      for (int u = 0; u < block; ++u) sums[u] = zero;
      for (int j = k + 1; j < n; ++j)
        for (int u = 0; u < block; ++u) sums[u] += A[j * n + first + u] * v[j];
      for (int u = 0; u < block; ++u) p[first + u] = factor * sums[u];
    });
    T along = zero;
    for (int i = k + 1; i < n; ++i) along += p[i] * v[i];
    const T half = T(0.5) * factor * along;
    team.each(n - k - 1, [&](int i) { p[k + 1 + i] -= half * v[k + 1 + i]; });
    team.each(n - k - 1, [&](int number) {
      const int i = k + 1 + number;
      const T vi = v[i], pi = p[i];
      for (int j = k + 1; j < n; ++j) A[i * n + j] -= vi * p[j] + pi * v[j];
    });
  }
  team.each(n, [&](int k) { d[n - 1 - k] = A[k * n + k]; });
}

/// Row n - 1 - j of Q[n*n] = column j of the product of the reflections.
template <class T, class Team>
SDE_DEVICE void multiply_reflections(int n, const T* A, const T* beta, T* Q, const Team& team) {
  in_blocks<kEigenBlock>(0, n, team, [&](auto block, int first) {
    T* const top = Q + (n - 1 - first) * n;  // the rows of a block follow each other upwards
    for (int u = 0; u < block; ++u)
      for (int i = 0; i < n; ++i) top[i - u * n] = T(i == first + u ? 1.0 : 0.0);
    for (int k = first + block - 2; k >= 0; --k) {  // the reflections behind do not touch these columns
      const T* const v = A + k * n;
      T sums[block];
      for (int u = 0; u < block; ++u) sums[u] = T(0.0);
      for (int i = k + 1; i < n; ++i)
        for (int u = 0; u < block; ++u) sums[u] += v[i] * top[i - u * n];
      for (int u = 0; u < block; ++u) sums[u] = sums[u] * beta[k];
      for (int u = 0; u < block; ++u)
        for (int i = n - 1; i > k; --i) top[i - u * n] -= sums[u] * v[i];
    }
  });
}

/// Components of `block` from Q on of all eigenvectors: rows i and i + 1 of Q turn by (cosine[i], sine[i]), i = last
/// down to l. kWhole: in every lane.
template <int block, bool kWhole, class T>
SDE_INLINE void turn(int n, int l, int last, const T* cosine, const T* sine, T* Q) {
  T carried[block];
  for (int u = 0; u < block; ++u) carried[u] = Q[(last + 1) * n + u];
  for (int i = last; i >= l; --i) {
    const T c = cosine[i], s = sine[i];
    T *const here = Q + i * n, *const next = here + n;
    const auto turns = (abs(s) > T(0.0)) | (c < T(1.0));
    for (int u = 0; u < block; ++u) {
      const T z = here[u];
      const T moved = s * z + c * carried[u], kept = c * z - s * carried[u];
      next[u] = kWhole ? moved : select(turns, moved, carried[u]);
      carried[u] = kWhole ? kept : select(turns, kept, z);
    }
  }
  for (int u = 0; u < block; ++u) Q[l * n + u] = carried[u];
}

/// One implicit QL step towards eigenvalue number l of the tridiagonal matrix (diagonal d, off-diagonal e), in the lanes
/// where e[l] still counts: the rotations of columns i and i + 1 are (cosine[i], sine[i]) for i = l .. last. Returns
/// last, or -1 where no lane has anything to do; `whole` says that every lane takes part in every rotation.
template <class T>
SDE_INLINE int implicit_ql_step(int n, int l, T* d, T* e, T* cosine, T* sine, bool& whole) {
  const T zero(0.0), one(1.0), epsilon(epsilon_of<T>);
  // The block that begins at l ends at m, where e[m] is small against the matrix, whose entries are at most 1.
  T m(static_cast<double>(n - 1)), end = d[n - 1];
  for (int i = n - 2; i >= l; --i) {
    const auto large = abs(e[i]) > epsilon * (T(0.0625) + abs(d[i]) + abs(d[i + 1]));
    m = select(large, m, T(static_cast<double>(i)));
    end = select(large, end, d[i]);
  }
  const auto active = T(static_cast<double>(l)) < m;
  if (!any(active)) return -1;
  int last = n - 2;
  while (!any(T(static_cast<double>(last)) < m)) --last;
  const T slope = (d[l + 1] - d[l]) / select(active, T(2.0) * e[l], one);
  const T root = sqrt(slope * slope + one);
  const T divisor = select(slope < zero, slope - root, slope + root);
  T g = end - d[l] + e[l] / divisor, s = one, c = one, p = zero;
  whole = true;
  for (int i = last; i >= l; --i) {
    // One path alone takes part in every rotation from its own last on.
    auto in = active;
    decltype(in) first{i == last};
    if constexpr (lanes_of<T> > 1) {
      in = active & (T(static_cast<double>(i)) < m);
      first = !(T(static_cast<double>(i + 1)) < m);
      whole = whole && !any(!in);
    }
    const T f = s * e[i], b = c * e[i];
    const T r = sqrt(f * f + g * g);
    const auto some = r > zero;
    const T inverse = one / select(some, r, one);
    const T sn = select(some, f * inverse, zero), cn = select(some, g * inverse, one);
    e[i + 1] = select(in, select(first, zero, r), e[i + 1]);
    const T rest = d[i + 1] - p;
    const T t = (d[i] - rest) * sn + T(2.0) * cn * b;
    const T moved = sn * t;
    d[i + 1] = select(in, rest + moved, d[i + 1]);
    p = select(in, moved, p);
    g = select(in, cn * t - b, g);
    s = select(in, sn, s);
    c = select(in, cn, c);
    cosine[i] = select(in, cn, one);
    sine[i] = select(in, sn, zero);
  }
  d[l] = select(active, d[l] - p, d[l]);
  e[l] = select(active, g, e[l]);
  return last;
}

}  // namespace detail

/// A[n*n] positive semidefinite, overwritten: lambda[n] becomes its eigenvalues, in no order, and row a of Q[n*n]
/// (Q[a*n+i]) the eigenvector of lambda[a]. work: kEigenWork n numbers. Accuracy: some rounding units of the largest
/// eigenvalue.
template <class T, class Team = Solo>
SDE_DEVICE void symmetric_eigen(int n, T* A, T* Q, T* lambda, T* work, const Team& team = {}) {
  T *const e = work, *const cosine = work + n, *const sine = work + 2 * n, *const shared = work + 3 * n;
  T scale = A[0];  // the largest entry of a positive semidefinite matrix stands on its diagonal
  for (int i = 1; i < n; ++i) scale = select(scale < A[i * n + i], A[i * n + i], scale);
  scale = select(scale > T(0.0), scale, T(1.0));
  const T inverse = T(1.0) / scale;
  team.each(n * n, [&](int k) { A[k] *= inverse; });
  detail::tridiagonalize(n, A, lambda, e, sine, cosine, team);
  detail::multiply_reflections(n, A, sine, Q, team);
  constexpr int kMostSteps = 30;  // for one eigenvalue: three are many
  for (int l = 0; l < n - 1; ++l)
    for (int step = 0; step < kMostSteps; ++step) {
      team.once([&] {
        bool whole = true;
        const int last = detail::implicit_ql_step(n, l, lambda, e, cosine, sine, whole);
        shared[0] = T(static_cast<double>(last));
        shared[1] = T(whole ? 1.0 : 0.0);
      });
      const int last = static_cast<int>(lane(shared[0], 0));
      if (last < 0) break;
      const bool whole = lane(shared[1], 0) > 0;
      detail::in_blocks<detail::kEigenBlock>(0, n, team, [&](auto block, int first) {
        if (whole)
          detail::turn<block, true>(n, l, last, cosine, sine, Q + first);
        else
          detail::turn<block, false>(n, l, last, cosine, sine, Q + first);
      });
    }
  team.each(n, [&](int i) { lambda[i] *= scale; });
}

}  // namespace sde
