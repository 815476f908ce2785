// Pack<S, W>: W paths side by side in one vector register (or a few). Every operation acts lane by lane with the
// same IEEE operations as the scalar type, so a path's result does not depend on W or on its neighbours.
#pragma once

#include <cstdint>

namespace sde {

namespace detail {
/// GCC's vector type of W values.
template <class S, int W>
struct VectorOf {
  static constexpr int bytes = static_cast<int>(sizeof(S)) * W;
  using type [[gnu::vector_size(bytes)]] = S;
};
}  // namespace detail

/// Truth values of W lanes, as produced by comparing packs. All bits of a lane are set where the comparison holds.
template <class S, int W>
struct Mask {
  using Int = std::int64_t;
  using Vector = typename detail::VectorOf<Int, W>::type;
  Vector v;
  friend Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
  friend Mask operator|(Mask a, Mask b) { return {a.v | b.v}; }
  friend Mask operator!(Mask a) { return {~a.v}; }
  bool operator[](int lane) const { return v[lane] != 0; }
};

/// W values of the scalar type S (double), one for each path. Implicit from S: a constant is the same in all lanes.
template <class S, int W>
struct Pack {
  using Vector = typename detail::VectorOf<S, W>::type;
  static constexpr int lanes = W;
  Vector v;

  Pack() = default;
  Pack(S value) : v(Vector{} + value) {}
  explicit Pack(Vector value) : v(value) {}

  static Pack load(const S* from) {
    Pack p;
    __builtin_memcpy(&p.v, from, sizeof(Vector));
    return p;
  }
  void store(S* to) const { __builtin_memcpy(to, &v, sizeof(Vector)); }
  S operator[](int lane) const { return v[lane]; }
  void set(int lane, S value) { v[lane] = value; }

  friend Pack operator+(Pack a, Pack b) { return Pack(a.v + b.v); }
  friend Pack operator-(Pack a, Pack b) { return Pack(a.v - b.v); }
  friend Pack operator*(Pack a, Pack b) { return Pack(a.v * b.v); }
  friend Pack operator/(Pack a, Pack b) { return Pack(a.v / b.v); }
  friend Pack operator-(Pack a) { return Pack(-a.v); }
  Pack& operator+=(Pack b) {
    v += b.v;
    return *this;
  }
  Pack& operator-=(Pack b) {
    v -= b.v;
    return *this;
  }
  Pack& operator*=(Pack b) {
    v *= b.v;
    return *this;
  }
  Pack& operator/=(Pack b) {
    v /= b.v;
    return *this;
  }
  friend Mask<S, W> operator<(Pack a, Pack b) { return {a.v < b.v}; }
  friend Mask<S, W> operator>(Pack a, Pack b) { return {a.v > b.v}; }
  friend Mask<S, W> operator<=(Pack a, Pack b) { return {a.v <= b.v}; }
  friend Mask<S, W> operator>=(Pack a, Pack b) { return {a.v >= b.v}; }
};

/// Lane-wise `condition ? yes : no`.
template <class S, int W>
Pack<S, W> select(Mask<S, W> condition, Pack<S, W> yes, Pack<S, W> no) {
  return Pack<S, W>(condition.v ? yes.v : no.v);
}
inline double select(bool condition, double yes, double no) { return condition ? yes : no; }

template <class S, int W>
bool any(Mask<S, W> m) {
  std::int64_t bits = 0;
  for (int lane = 0; lane < W; ++lane) bits |= m.v[lane];
  return bits != 0;
}
inline bool any(bool m) { return m; }

/// Number of paths held by a value of type T, and access to one of them.
template <class T>
inline constexpr int lanes_of = 1;
template <class S, int W>
inline constexpr int lanes_of<Pack<S, W>> = W;

inline double lane(double x, int) { return x; }
template <class S, int W>
S lane(Pack<S, W> x, int l) {
  return x[l];
}
inline void set_lane(double& x, int, double value) { x = value; }
template <class S, int W>
void set_lane(Pack<S, W>& x, int l, S value) {
  x.set(l, value);
}

/// The pack that the ensemble kernels use.
inline constexpr int kLanes = 8;
using Real8 = Pack<double, kLanes>;

}  // namespace sde
