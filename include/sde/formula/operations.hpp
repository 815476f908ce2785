// What instructions of a program do, where it is more than an operator: for those that run it and those that write it
// out.
#pragma once

#include <limits>

#include "sde/core/dual_functions.hpp"
#include "sde/core/functions.hpp"

namespace sde::formula {

template <class T>
SDE_INLINE T inverse(const T& x) {
  return T(1.0) / x;
}
/// x, not a number where it is below 0.
template <class T>
SDE_INLINE T non_negative(const T& x) {
  return select(x >= T(0.0), x, T(std::numeric_limits<double>::quiet_NaN()));
}
/// 1 where x > 0, else 0.
template <class T>
SDE_INLINE T step(const T& x) {
  return select(x > T(0.0), T(1.0), T(0.0));
}

}  // namespace sde::formula
