// What a loss's template may not do with its numbers T, and what to write instead: one message at the first place, in
// place of pages about candidates. Each is an overload that is chosen only by a mistake; its static_assert is a
// template of its own, so that the compiler says it once however many types of numbers meet it.
//
// The overloads stand in namespace std because the mistake is to call std::exp: nothing else is found there.
#pragma once

#include <cmath>

#include "sde/core/target.hpp"

namespace sde::refused {

template <class>
inline constexpr bool kNever = false;
/// Whether T is a number of a loss that is more than a double; pack.hpp and dual.hpp say so of theirs.
template <class T>
inline constexpr bool kNumber = false;

/// Of a function that exists for every T, under the same name without std.
template <class Once>
SDE_DEVICE void qualified() {
  static_assert(
      kNever<Once>,
      "a loss calls a function of namespace std with its numbers T: expected exp, log, sqrt, sin, cos, tan, "
      "atan, sinh, cosh, tanh, expm1, log1p, erf, pow, abs, min or max without std:: (sde/loss/concepts.hpp)");
}
/// Of a function without a derivative here.
template <class Once>
SDE_DEVICE void unknown() {
  static_assert(kNever<Once>,
                "a loss calls a function that has no derivative here: expected one made of exp, log, sqrt, sin, cos, "
                "tan, atan, sinh, cosh, tanh, expm1, log1p, erf, softplus, logcosh, relu, sigmoid, pow, abs, min, max "
                "and select (sde/loss/concepts.hpp)");
}
/// Of `if (t > 0)`.
template <class Once>
SDE_DEVICE void branch() {
  static_assert(kNever<Once>,
                "a loss branches on a comparison of its numbers T, which hold many paths at once: expected "
                "select(t > 0, a, b), min, max or abs instead of if, ?:, && or || (sde/loss/concepts.hpp)");
}

}  // namespace sde::refused

/// The overloads for one name. T is a loss's number: a Pack or a Dual (kNumber), not a double.
#define SDE_REFUSE_ONE(NAME, WHY)                                   \
  template <class T>                                                \
  requires sde::refused::kNumber<T> SDE_DEVICE T NAME(const T& x) { \
    sde::refused::WHY<void>();                                      \
    return x;                                                       \
  }
#define SDE_REFUSE_TWO(NAME, WHY)                                                                               \
  template <class A, class B>                                                                                   \
  requires(sde::refused::kNumber<A> || sde::refused::kNumber<B>) SDE_DEVICE auto NAME(const A& a, const B& b) { \
    sde::refused::WHY<void>();                                                                                  \
    if constexpr (sde::refused::kNumber<A>)                                                                     \
      return a;                                                                                                 \
    else                                                                                                        \
      return b;                                                                                                 \
  }

namespace std {
SDE_REFUSE_ONE(exp, qualified)
SDE_REFUSE_ONE(log, qualified)
SDE_REFUSE_ONE(sqrt, qualified)
SDE_REFUSE_ONE(sin, qualified)
SDE_REFUSE_ONE(cos, qualified)
SDE_REFUSE_ONE(tan, qualified)
SDE_REFUSE_ONE(atan, qualified)
SDE_REFUSE_ONE(sinh, qualified)
SDE_REFUSE_ONE(cosh, qualified)
SDE_REFUSE_ONE(tanh, qualified)
SDE_REFUSE_ONE(expm1, qualified)
SDE_REFUSE_ONE(log1p, qualified)
SDE_REFUSE_ONE(erf, qualified)
SDE_REFUSE_ONE(abs, qualified)
SDE_REFUSE_ONE(fabs, qualified)
SDE_REFUSE_TWO(pow, qualified)
SDE_REFUSE_TWO(fmin, qualified)
SDE_REFUSE_TWO(fmax, qualified)
template <class T>
requires sde::refused::kNumber<T> SDE_DEVICE T min(const T& a, const T&) {
  sde::refused::qualified<void>();
  return a;
}
template <class T>
requires sde::refused::kNumber<T> SDE_DEVICE T max(const T& a, const T&) {
  sde::refused::qualified<void>();
  return a;
}
SDE_REFUSE_ONE(exp2, unknown)
SDE_REFUSE_ONE(log2, unknown)
SDE_REFUSE_ONE(log10, unknown)
SDE_REFUSE_ONE(cbrt, unknown)
SDE_REFUSE_ONE(asin, unknown)
SDE_REFUSE_ONE(acos, unknown)
SDE_REFUSE_ONE(floor, unknown)
SDE_REFUSE_ONE(ceil, unknown)
SDE_REFUSE_ONE(round, unknown)
SDE_REFUSE_TWO(atan2, unknown)
SDE_REFUSE_TWO(hypot, unknown)
SDE_REFUSE_TWO(fmod, unknown)
}  // namespace std

#undef SDE_REFUSE_ONE
#undef SDE_REFUSE_TWO
