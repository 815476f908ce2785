// A double that counts what is done with it: the arithmetic of a step, whatever the loss, without a model of it.
#pragma once

#include <cmath>

#include "sde/core/math.hpp"

namespace sde {

namespace bench {

/// Additions, subtractions, multiplications, divisions and square roots of this thread's Counted values so far.
inline thread_local long counted_flops = 0;

struct Counted {
  double value = 0;
  Counted() = default;
  Counted(double v) : value(v) {}

  friend Counted operator+(Counted a, Counted b) { return count(a.value + b.value); }
  friend Counted operator-(Counted a, Counted b) { return count(a.value - b.value); }
  friend Counted operator*(Counted a, Counted b) { return count(a.value * b.value); }
  friend Counted operator/(Counted a, Counted b) { return count(a.value / b.value); }
  friend Counted operator-(Counted a) { return -a.value; }
  Counted& operator+=(Counted b) { return *this = *this + b; }
  Counted& operator-=(Counted b) { return *this = *this - b; }
  Counted& operator*=(Counted b) { return *this = *this * b; }
  friend bool operator<(Counted a, Counted b) { return a.value < b.value; }
  friend bool operator>(Counted a, Counted b) { return a.value > b.value; }
  friend bool operator<=(Counted a, Counted b) { return a.value <= b.value; }
  friend bool operator>=(Counted a, Counted b) { return a.value >= b.value; }
  friend Counted sqrt(Counted a) { return count(std::sqrt(a.value)); }
  friend Counted exp(Counted a);
  friend Counted abs(Counted a) { return std::abs(a.value); }
  friend Counted select(bool condition, Counted yes, Counted no) { return condition ? yes : no; }

 private:
  static Counted count(double v) {
    ++counted_flops;
    return v;
  }
};

}  // namespace bench

template <>
struct LanesOf<bench::Counted> {
  using Scalar = double;
  static constexpr int count = 1;
};
template <>
struct BitsOf<bench::Counted> {
  using U = std::uint64_t;
  static U bits(bench::Counted x) { return BitsOf<double>::bits(x.value); }
  static bench::Counted real(U u) { return BitsOf<double>::real(u); }
  static bench::Counted from_word(U u) { return BitsOf<double>::from_word(u); }
};

namespace bench {
inline Counted exp(Counted a) { return sde::detail::exp_kernel(a); }
}  // namespace bench

}  // namespace sde
