// Eigenpairs of a positive semidefinite matrix: Householder's tridiagonal form, then implicit QL steps (Golub, Van
// Loan, Matrix Computations, 8.3; EISPACK's tred2 and tql2), as many as the slowest lane needs. About 8 n^3 operations.
#pragma once

#include <cstddef>
#include <utility>

#include "sde/core/columns.hpp"
#include "sde/core/implicit_ql.hpp"

namespace sde {

/// Working storage of symmetric_eigen() for n x n matrices: times(kEigenWork, n) numbers.
inline constexpr int kEigenWork = 5;

namespace detail {

/// A becomes tridiagonal, in reverse: d[n] is the diagonal and e[i] stands between i and i + 1, where row k of A has
/// the number n - 1 - k. Reflections take the large eigenvalues first, and QL steps want the small ones first. The
/// reflections stand in A's rows behind the diagonal, their factors in beta; p is storage.
template <class T, class Team>
SDE_DEVICE void tridiagonalize(int n, T* A, T* d, T* e, T* beta, T* p, const Team& team) {
  const T zero(0.0), least = T(sizeof(scalar_of<T>) == 8 ? 1e-290 : 1e-35);
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
    over_columns<T>(k + 1, n, team, [&]<class Block>(Block, int first) {
      typename Block::Value sums[Block::count];
      for (auto& sum : sums) sum = zero;
      for (int j = k + 1; j < n; ++j)
        for (int u = 0; u < Block::count; ++u) sums[u] += Block::read(A + j * n + first, u) * v[j];
      for (int u = 0; u < Block::count; ++u) Block::write(factor * sums[u], p + first, u);
    });
    T along = zero;
    for (int i = k + 1; i < n; ++i) along += p[i] * v[i];
    const T half = T(0.5) * factor * along;
    team.each(n - k - 1, [&](int i) { p[k + 1 + i] -= half * v[k + 1 + i]; });
    over_columns<T>(k + 1, n, team, [&]<class Block>(Block, int first) {
      using U = typename Block::Value;
      U here[Block::count], image[Block::count];
      for (int u = 0; u < Block::count; ++u) here[u] = Block::read(v + first, u), image[u] = Block::read(p + first, u);
      for (int i = k + 1; i < n; ++i) {
        const U vi(v[i]), pi(p[i]);
        T* const row = A + i * n + first;
        for (int u = 0; u < Block::count; ++u)
          Block::write(Block::read(row, u) - (vi * image[u] + pi * here[u]), row, u);
      }
    });
  }
  team.each(n, [&](int k) { d[n - 1 - k] = A[k * n + k]; });
}

/// Row n - 1 - j of Q[n*n] = column j of the product of the reflections.
template <class T, class Team>
SDE_DEVICE void multiply_reflections(int n, const T* A, const T* beta, T* Q, const Team& team) {
  over_columns<T>(0, n, team, [&]<class Block>(Block, int first) {
    // The rows of a block follow each other upwards. (As an int GCC warns of its overflow where n is a constant.)
    T* const top = Q + static_cast<std::ptrdiff_t>(n - 1 - first) * n;
    for (int u = 0; u < Block::columns; ++u)
      for (int i = 0; i < n; ++i) top[i - u * n] = T(i == first + u ? 1.0 : 0.0);
    for (int k = first + Block::columns - 2; k >= 0; --k) {  // the reflections behind do not touch these columns
      const T* const v = A + k * n;
      typename Block::Value sums[Block::count];
      for (auto& sum : sums) sum = T(0.0);
      for (int i = k + 1; i < n; ++i)
        for (int u = 0; u < Block::count; ++u) sums[u] += v[i] * Block::read_apart(top + i, -n, u);
      T factors[Block::columns];
      for (int u = 0; u < Block::count; ++u) Block::write(sums[u] * beta[k], factors, u);
      for (int u = 0; u < Block::columns; ++u)
        for (int i = n - 1; i > k; --i) top[i - u * n] -= factors[u] * v[i];
    }
  });
}

/// Q[n*n]: the product of the reflections, of which QL steps make the eigenvectors. d[n], e[n]: as
/// implicit_ql_step()'s; d becomes the eigenvalues. work: 4 n numbers.
template <class T, class Team>
SDE_DEVICE void diagonalize(int n, T* d, T* e, T* Q, T* work, const Team& team) {
  T *cosine = work, *sine = work + n, *next_cosine = work + 2 * n, *next_sine = work + 3 * n;
  const int most_steps = 30 * n;  // two for each eigenvalue are usual; what is not finite may take them all
  Rotations all{0, -1};
  T l(0.0);
  if constexpr (kAlone<Team> && kWorksBeside) {
    // The numbers of a step are one chain of roots and divisions: the rotations of the step before go on beside it.
    Turning<T> turning(n, Q);
    for (int step = 0; step < most_steps; ++step) {
      all = implicit_ql_step(n, all.first, l, d, e, cosine, sine, turning);
      if (all.count() == 0) break;
      turning.finish();
      turning.begin(all, cosine, sine);
      std::swap(cosine, next_cosine);
      std::swap(sine, next_sine);
    }
    turning.finish();
  } else {
    T* const shared = next_cosine;
    for (int step = 0; step < most_steps; ++step) {
      team.once([&] {
        all = implicit_ql_step(n, all.first, l, d, e, cosine, sine, Idle{});
        shared[0] = T(static_cast<double>(all.first));
        shared[1] = T(static_cast<double>(all.last));
      });
      all = {static_cast<int>(lane(shared[0], 0)), static_cast<int>(lane(shared[1], 0))};
      if (all.count() == 0) break;
      over_columns<T>(0, n, team, [&]<class Block>(Block, int first) {
        T *const column = Q + first, *const top = column + all.first * n, *const bottom = column + (all.last + 1) * n;
        typename Block::Value carried[Block::count];
        for (int u = 0; u < Block::count; ++u) carried[u] = Block::read(bottom, u);
        turn<Block>(n, all.last, all.first, cosine, sine, column, carried);
        for (int u = 0; u < Block::count; ++u) Block::write(carried[u], top, u);
      });
    }
  }
  // (1, 0) turns -0 to 0 where only neighbours needed the rotation. (A path with an infinite number there is lost
  // anyway.)
  team.each(n * n, [&](int k) { Q[k] += T(0.0); });
}

}  // namespace detail

/// A[n*n] positive semidefinite, overwritten: lambda[n] becomes its eigenvalues, in no order, and row a of Q[n*n]
/// (Q[a*n+i]) the eigenvector of lambda[a]. work: kEigenWork n numbers. Accuracy: some rounding units of the largest
/// eigenvalue.
template <class T, class Team = Solo>
SDE_DEVICE void symmetric_eigen(int n, T* A, T* Q, T* lambda, T* work, const Team& team = {}) {
  T scale = A[0];  // the largest entry of a positive semidefinite matrix stands on its diagonal
  for (int i = 1; i < n; ++i) scale = select(scale < A[i * n + i], A[i * n + i], scale);
  scale = select(scale > T(0.0), scale, T(1.0));
  const T inverse = T(1.0) / scale;
  team.each(n * n, [&](int k) { A[k] *= inverse; });
  T *const e = work, *const beta = work + n;
  detail::tridiagonalize(n, A, lambda, e, beta, work + 2 * n, team);
  detail::multiply_reflections(n, A, beta, Q, team);
  detail::diagonalize(n, lambda, e, Q, work + n, team);
  team.each(n, [&](int i) { lambda[i] *= scale; });
}

/// Eigenpairs of ((a, b), (b, c)) in closed form, the larger one first; row i of Q[4] is the vector of lambda[i].
template <class T>
SDE_DEVICE void symmetric_eigen(T a, T b, T c, T* Q, T* lambda) {
  const T mean = T(0.5) * (a + c), half = T(0.5) * (a - c), r = sqrt(half * half + b * b);
  lambda[0] = mean + r;
  lambda[1] = mean - r;
  const T large = r + abs(half);  // (large, b) is the vector of one of them, whichever is nearer to a
  const T square = large * large + b * b;
  const auto some = square > T(0.0);
  const T inverse = T(1.0) / sqrt(select(some, square, T(1.0)));
  const T cosine = select(some, large * inverse, T(1.0)), sine = b * inverse;
  const auto first = half >= T(0.0);
  Q[0] = select(first, cosine, sine);
  Q[1] = select(first, sine, cosine);
  Q[2] = -Q[1];
  Q[3] = Q[0];
}

}  // namespace sde
