// Where a line meets a curve: the closed-form retractions of small losses (intersect_normal, concepts.hpp).
#pragma once

#include "sde/core/math.hpp"

namespace sde::loss {

/// t <- the root of a t^2 + 2 b t + c that goes to 0 with c, for b > 0. Returns the lanes where there is none.
template <class T>
SDE_INLINE auto near_root(const T& a, const T& b, const T& c, T& t) {
  const T inside = b * b - a * c;
  const auto found = (inside >= T(0.0)) & (b > T(0.0));
  t = -c / (b + sqrt(select(found, inside, T(1.0))));
  return !found;
}

/// x[d] <- the point of the unit sphere on the line x + t v near x. Returns the lanes where there is none.
template <class T>
SDE_INLINE auto intersect_sphere(int d, const T* v, T* x) {
  T a = v[0] * v[0], b = x[0] * v[0], c = x[0] * x[0];
  for (int i = 1; i < d; ++i) {
    a += v[i] * v[i];
    b += x[i] * v[i];
    c += x[i] * x[i];
  }
  T t;
  const auto lost = near_root(a, b, c - T(1.0), t);
  for (int i = 0; i < d; ++i) x[i] += t * v[i];
  return lost;
}

}  // namespace sde::loss
