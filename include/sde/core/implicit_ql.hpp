// Implicit QL steps (Golub, Van Loan, Matrix Computations, 8.3; EISPACK's tql2): the eigenvalues of a tridiagonal
// matrix similar to one whose largest entry is 1, and what each step does to the eigenvectors. Every lane goes its own
// way, from its first block to its last; a step takes the rows of all of them, and a lane keeps its values where it
// takes no part, so its result does not depend on its neighbours.
#pragma once

#include "sde/core/math.hpp"
#include "sde/core/rotations.hpp"

namespace sde::detail {

/// One step in each lane towards its eigenvalue number l, which moves on where e[l] no longer counts. d[n]: diagonal;
/// e[i] stands between i and i + 1. No l is below `from`. The rotations are (1, 0) where a lane takes no part; there
/// are none when all lanes have reached the end. background.some(pace) is called at each of them.
template <class T, class Background>
SDE_INLINE Rotations implicit_ql_step(int n, int from, T& l, T* d, T* e, T* cosine, T* sine, Background&& background) {
  constexpr bool kLanes = lanes_of < T >> 1;
  constexpr double least = sizeof(scalar_of<T>) == 8 ? 1e-290 : 1e-35;
  const T zero(0.0), one(1.0), epsilon(epsilon_of<T>);
  const auto number = [](int i) { return T(static_cast<double>(i)); };
  // The first block that is not finished: l .. m, where e[m] is small against the matrix or its neighbours.
  T start = number(n - 1), m = zero, end = d[n - 1], after = start, after_end = end;
  for (int i = n - 2; i >= from; --i) {
    const auto large = abs(e[i]) > epsilon * (T(0.0625) + abs(d[i]) + abs(d[i + 1]));
    const auto open = large & (l <= number(i));
    start = select(open, number(i), start);
    m = select(open, after, m);
    end = select(open, after_end, end);
    after = select(large, after, number(i));
    after_end = select(large, after_end, d[i]);
  }
  l = start;
  const auto active = l < m;
  if (!any(active)) return {0, -1};
  Rotations all{from, n - 2};
  while (!any(l <= number(all.first))) ++all.first;
  while (!any(number(all.last) < m)) --all.last;
  int highest = all.first;
  T head = d[highest], next = d[highest + 1], coupling = e[highest];
  if constexpr (kLanes) {
    while (any(active & (number(highest) < l))) {
      ++highest;
      const auto here = number(highest) <= l;
      head = select(here, d[highest], head);
      next = select(here, d[highest + 1], next);
      coupling = select(here, e[highest], coupling);
    }
  }
  const T slope = (next - head) / select(active, T(2.0) * coupling, one);
  const T root = sqrt(slope * slope + one);
  const T divisor = select(slope < zero, slope - root, slope + root);
  T g = end - head + coupling / divisor, s = one, c = one, p = zero;
  const int pace = background.pace(all.count());
  for (int i = all.last; i >= all.first; --i) {
    auto in = active, begins = active, ends = active;
    if constexpr (kLanes) {
      in = active & (l <= number(i)) & (number(i) < m);
      begins = m <= number(i + 1);
      ends = in & (number(i) <= l);
    } else {
      begins = decltype(in){i == all.last};
      ends = decltype(in){i == all.first};
    }
    // g <- (u/x) g - b takes 1/x beside the root of x, not after it.
    const T f = s * e[i], b = c * e[i];
    const T x = f * f + g * g;
    const auto some = x > T(least);
    const T inverse = one / select(some, x, one), r = sqrt(x);
    const T rest = d[i + 1] - p;
    const T u = ((d[i] - rest) * f + T(2.0) * g * b) * inverse;
    const T moved = select(some, f * u, zero);
    const T over_r = r * inverse;
    const T sn = select(some, f * over_r, zero), cn = select(some, g * over_r, one);
    e[i + 1] = select(in, select(begins, zero, r), e[i + 1]);
    d[i + 1] = select(in, rest + moved, d[i + 1]);
    p = select(in, moved, p);
    g = select(in, select(some, g * u - b, b), g);
    s = select(in, sn, s);
    c = select(in, cn, c);
    cosine[i] = select(in, cn, one);
    sine[i] = select(in, sn, zero);
    if (i <= highest) {
      d[i] = select(ends, d[i] - p, d[i]);
      e[i] = select(ends, g, e[i]);
    }
    background.some(pace);
  }
  return all;
}

}  // namespace sde::detail
