// Symmetric eigenproblem by cyclic Jacobi rotations, written for lanes: no branch depends on the data and the number of
// sweeps on n alone, so a lane's result does not depend on its neighbours.
#pragma once

#include "sde/core/buffer.hpp"
#include "sde/core/math.hpp"

namespace sde {

SDE_DEVICE constexpr int jacobi_sweeps(int n) { return n == 1 ? 0 : n == 2 ? 2 : n <= 8 ? 7 : n <= 32 ? 9 : 11; }

/// On return the diagonal of A[n*n] holds the eigenvalues and column a of Q[n*n] (Q[i*n+a]) the eigenvectors.
template <class T, class Team = Solo>
SDE_DEVICE void jacobi_eigen(int n, T* A, T* Q, const Team& team = {}) {
  team.each(n * n, [&](int k) { Q[k] = T(k / n == k % n ? 1.0 : 0.0); });
  const T one(1.0), zero(0.0), tiny(sizeof(scalar_of<T>) == 8 ? 1e-300 : 1e-30);
  for (int sweep = 0; sweep < jacobi_sweeps(n); ++sweep)
    for (int p = 0; p < n - 1; ++p)
      for (int q = p + 1; q < n; ++q) {
        const T apq = A[p * n + q];
        const T theta = (A[q * n + q] - A[p * n + p]) * T(0.5);
        const T root = sqrt(theta * theta + apq * apq);
        const T denominator = select(theta < zero, theta - root, theta + root);
        const T t = select(abs(apq) < tiny, zero, apq / select(abs(denominator) < tiny, one, denominator));
        const T c = one / sqrt(one + t * t);
        const T s = t * c;
        team.each(n, [&](int k) {
          const T akp = A[k * n + p], akq = A[k * n + q];
          A[k * n + p] = c * akp - s * akq;
          A[k * n + q] = s * akp + c * akq;
          const T qkp = Q[k * n + p], qkq = Q[k * n + q];
          Q[k * n + p] = c * qkp - s * qkq;
          Q[k * n + q] = s * qkp + c * qkq;
        });
        team.each(n, [&](int k) {
          const T apk = A[p * n + k], aqk = A[q * n + k];
          A[p * n + k] = c * apk - s * aqk;
          A[q * n + k] = s * apk + c * aqk;
        });
      }
}

/// jacobi_eigen as a policy of who needs eigenpairs: another solver may stand in its place where lanes do not matter.
struct CyclicJacobi {
  template <class T, class Team>
  SDE_DEVICE static void solve(int n, T* A, T* Q, const Team& team) {
    jacobi_eigen(n, A, Q, team);
  }
};

}  // namespace sde
