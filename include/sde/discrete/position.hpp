// Where a path stands, and how it is moved. In float a step along Gamma is so small beside the position that its
// rounding, a million steps later, is a drift of its own: there what each sum rounds off is kept and added to the next
// (Kahan).
#pragma once

#include "sde/core/pack.hpp"
#include "sde/core/target.hpp"

namespace sde::discrete {

/// Whether sums keep what they round off.
template <class T>
inline constexpr bool kCompensated = sizeof(scalar_of<T>) == sizeof(float);

/// x[d], and in float rest[d]: the position is x + rest.
template <class T>
struct Position {
  T* x;
  T* rest;

  /// x_k + rest_k += by
  SDE_INLINE void move(int k, const T& by) const {
    if constexpr (kCompensated<T>) {
      const T whole = by + rest[k], moved = x[k] + whole;
      rest[k] = whole - (moved - x[k]);
      x[k] = moved;
    } else {
      x[k] += by;
    }
  }
  /// Component k less that of `from`.
  SDE_INLINE T since(const Position& from, int k) const {
    if constexpr (kCompensated<T>)
      return (x[k] - from.x[k]) + (rest[k] - from.rest[k]);
    else
      return x[k] - from.x[k];
  }
  SDE_INLINE void set(const Position& to, int k) const {
    x[k] = to.x[k];
    if constexpr (kCompensated<T>) rest[k] = to.rest[k];
  }
};

}  // namespace sde::discrete
