// Functions of lanes for plain numbers: a pack of one, so that they have a lane's bits.
#pragma once

#include <type_traits>

#include "sde/core/pack.hpp"

namespace sde {

/// What the functions below take beside packs: double, float, and whole numbers, which become doubles.
template <class X>
concept PlainNumber = std::is_integral_v<X> || std::is_same_v<X, double> || std::is_same_v<X, float>;

/// A pack of one of them.
template <PlainNumber X>
using OneLane = Pack<std::conditional_t<std::is_same_v<X, float>, float, double>, 1>;

namespace detail {

template <PlainNumber X>
SDE_INLINE OneLane<X> one_lane(X x) {
  return OneLane<X>(static_cast<scalar_of<OneLane<X>>>(x));
}

}  // namespace detail
}  // namespace sde

/// NAME of a plain number. A template, so that a program that says `using namespace sde` may still call libm's.
#define SDE_PLAIN(NAME)                      \
  template <sde::PlainNumber X>              \
  SDE_INLINE auto NAME(X x) {                \
    return NAME(sde::detail::one_lane(x)).v; \
  }
