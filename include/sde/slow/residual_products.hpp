// The products of small matrices that residual_geometry.hpp is made of, in tiles: several sums at a time, each in its
// order, with what they read of a row kept in registers. Matrices are row-major; a team shares the work.
#pragma once

#include <type_traits>

#include "sde/core/columns.hpp"

namespace sde::slow::products {

/// f(block, rows, i, j): i .. i + rows - 1 of n by the columns j, ... of m; all tiles make n x m. `rows` is a constant.
/// A member of a team takes a part of one row.
template <class T, class Team, class F>
SDE_INLINE void tiles(int n, int m, const Team& team, F f) {
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
    team.each(n * parts, [&](int part) {
      const int first = part % parts * kPart, end = first + kPart < m ? first + kPart : m;
      over_columns<T>(first, end, Solo{}, [&](auto block, int j) { f(block, One{}, part / parts, j); });
    });
  }
}

/// sums[t][u] = sum_k left[t * stride + k] right(k, u), k < size.
template <class T, class U, int R, int C, class Right>
SDE_INLINE void multiply(int size, const T* left, int stride, Right right, U (&sums)[R][C]) {
  for (int t = 0; t < R; ++t)
    for (int u = 0; u < C; ++u) sums[t][u] = T(0.0);
  for (int k = 0; k < size; ++k)
    for (int u = 0; u < C; ++u) {
      const U factor = right(k, u);
      for (int t = 0; t < R; ++t) sums[t][u] += U(left[t * stride + k]) * factor;
    }
}

/// G[n*n] = J J^T/n for J[n*d]. N, M here and below: Extents of n and d.
template <class T, class N, class M, class Team>
SDE_INLINE void gram(N n, M d, const T* J, T* G, const Team& team) {
  tiles<T>(n, n, team, [&]<class Block>(Block, auto rows, int i, int j) {
    if (j >= i + rows) return;  // by symmetry
    using U = typename Block::Value;
    U sums[rows][Block::count];
    multiply(
        d, &J[i * d], d, [&](int k, int u) { return Block::read_apart(&J[j * d + k], d, u); }, sums);
    T row[Block::columns];
    for (int t = 0; t < rows; ++t) {
      for (int u = 0; u < Block::count; ++u) Block::write(sums[t][u] * U(T(1.0 / n)), row, u);
      for (int u = 0; u < Block::columns; ++u)
        if (j + u <= i + t) G[(i + t) * n + j + u] = G[(j + u) * n + i + t] = row[u];
    }
  });
}

/// V[n*d] = diag(scale) Q J for Q[n*n], J[n*d].
template <class T, class N, class M, class Team>
SDE_INLINE void scaled_product(N n, M d, const T* scale, const T* Q, const T* J, T* V, const Team& team) {
  tiles<T>(n, d, team, [&]<class Block>(Block, auto rows, int a, int k) {
    using U = typename Block::Value;
    U sums[rows][Block::count];
    multiply(
        n, &Q[a * n], n, [&](int i, int u) { return Block::read(&J[i * d + k], u); }, sums);
    for (int t = 0; t < rows; ++t)
      for (int u = 0; u < Block::count; ++u) Block::write(sums[t][u] * U(scale[a + t]), &V[(a + t) * d + k], u);
  });
}

/// to[a] = of(a, <row a of Q, w>) for Q[n*n], w[n].
template <class T, class N, class Team, class Of>
SDE_INLINE void components(N n, const T* Q, const T* w, Of of, T* to, const Team& team) {
  over_columns<T>(0, n, team, [&]<class Block>(Block, int first) {
    using U = typename Block::Value;
    U sums[1][Block::count];
    multiply(
        n, w, n, [&](int i, int u) { return Block::read_apart(&Q[first * n + i], n, u); }, sums);
    T all[Block::columns];
    for (int u = 0; u < Block::count; ++u) Block::write(sums[0][u], all, u);
    for (int u = 0; u < Block::columns; ++u) to[first + u] = of(first + u, all[u]);
  });
}

/// u[d] -= V^T c for V[n*d], c[n].
template <class T, class N, class M, class Team>
SDE_INLINE void subtract_combination(N n, M d, const T* c, const T* V, T* u, const Team& team) {
  over_columns<T>(0, d, team, [&]<class Block>(Block, int first) {
    using U = typename Block::Value;
    U rest[Block::count];
    for (int k = 0; k < Block::count; ++k) rest[k] = Block::read(u + first, k);
    for (int a = 0; a < n; ++a)
      for (int k = 0; k < Block::count; ++k) rest[k] -= U(c[a]) * Block::read(&V[a * d + first], k);
    for (int k = 0; k < Block::count; ++k) Block::write(rest[k], u + first, k);
  });
}

}  // namespace sde::slow::products
