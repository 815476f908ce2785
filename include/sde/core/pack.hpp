// Pack<S, W>: W paths side by side. Every operation acts lane by lane with the same IEEE operations as the scalar type,
// so a path's result does not depend on W, on its neighbours or on the width of the machine's registers.
//
// A pack that fits a vector register is one; a wider one is two halves, so that the compiler keeps them in registers
// and two chains of operations hide each other's latency. A pack of one is a plain number: a path of a GPU's thread,
// which runs the same templates (nvcc sees no other width). The namespace carries the register width: code compiled for
// different machines can stand in one program.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "sde/core/refused.hpp"
#include "sde/core/target.hpp"
#if defined(__x86_64__) && !defined(__CUDACC__)
#  include <immintrin.h>
#endif

#if defined(__CUDACC__)
#  define SDE_SIMD_NAMESPACE cuda
#elif defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#  define SDE_REGISTER_BYTES 64
#  define SDE_SIMD_NAMESPACE simd512
#elif defined(__AVX2__)
#  define SDE_REGISTER_BYTES 32
#  define SDE_SIMD_NAMESPACE simd256
#else
#  define SDE_REGISTER_BYTES 16
#  define SDE_SIMD_NAMESPACE simd128
#endif

/// The operators of a pack that take two.
#define SDE_BINARY_OPERATORS(DEFINE) \
  DEFINE(+)                          \
  DEFINE(-)                          \
  DEFINE(*)                          \
  DEFINE(/)                          \
  DEFINE(&)                          \
  DEFINE(|)                          \
  DEFINE(^)

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

template <class S, int W>
struct Pack;
template <class S, int W>
struct Mask;

}  // namespace SDE_SIMD_NAMESPACE

template <class S, int W>
inline constexpr bool refused::kNumber<Pack<S, W>> = std::is_floating_point_v<S>;

inline namespace SDE_SIMD_NAMESPACE {

/// One truth value.
template <class S>
struct Mask<S, 1> {
  bool value;
  SDE_INLINE friend Mask operator&(Mask a, Mask b) { return {a.value && b.value}; }
  SDE_INLINE friend Mask operator|(Mask a, Mask b) { return {a.value || b.value}; }
  SDE_INLINE friend Mask operator!(Mask a) { return {!a.value}; }
  SDE_DEVICE bool operator[](int) const { return value; }
  SDE_DEVICE explicit operator bool() const {
    refused::branch<void>();
    return value;
  }
};

/// One number, with the interface of many.
template <class S>
struct Pack<S, 1> {
  static constexpr int lanes = 1;
  S v;

  Pack() = default;
  SDE_INLINE Pack(S value) : v(value) {}
  template <std::same_as<double> D>
  SDE_INLINE Pack(D value) requires(std::is_same_v<S, float>) : v(static_cast<S>(value)) {}
  SDE_INLINE static Pack counting(S first) { return Pack(first); }
  SDE_INLINE void store(S* to) const { *to = v; }
  SDE_INLINE S operator[](int) const { return v; }
  SDE_INLINE void set(int, S value) { v = value; }

#define SDE_BINARY(OP)                                                                            \
  SDE_INLINE friend Pack operator OP(Pack a, Pack b) { return Pack(static_cast<S>(a.v OP b.v)); } \
  SDE_INLINE Pack& operator OP##=(Pack b) { return *this = *this OP b; }
  SDE_BINARY_OPERATORS(SDE_BINARY)
#undef SDE_BINARY
  SDE_INLINE friend Pack operator-(Pack a) { return Pack(-a.v); }
  SDE_INLINE friend Pack operator~(Pack a) { return Pack(~a.v); }
  SDE_INLINE friend Pack operator<<(Pack a, int n) { return Pack(a.v << n); }
  SDE_INLINE friend Pack operator>>(Pack a, int n) { return Pack(a.v >> n); }
  SDE_INLINE friend Mask<S, 1> operator<(Pack a, Pack b) { return {a.v < b.v}; }
  SDE_INLINE friend Mask<S, 1> operator>(Pack a, Pack b) { return {a.v > b.v}; }
  SDE_INLINE friend Mask<S, 1> operator<=(Pack a, Pack b) { return {a.v <= b.v}; }
  SDE_INLINE friend Mask<S, 1> operator>=(Pack a, Pack b) { return {a.v >= b.v}; }
  SDE_INLINE friend Mask<S, 1> operator==(Pack a, Pack b) { return {a.v == b.v}; }
  SDE_INLINE friend Mask<S, 1> operator!=(Pack a, Pack b) { return {a.v != b.v}; }
  SDE_INLINE friend Pack select(Mask<S, 1> condition, Pack yes, Pack no) { return condition.value ? yes : no; }
  SDE_INLINE friend Pack min(Pack a, Pack b) { return b.v < a.v ? b : a; }
  SDE_INLINE friend Pack max(Pack a, Pack b) { return a.v < b.v ? b : a; }
};

/// Square root, correctly rounded, as in every lane of a wider pack.
template <class S>
SDE_INLINE Pack<S, 1> sqrt(Pack<S, 1> x) {
  if constexpr (sizeof(S) == 8)
    return Pack<S, 1>(::sqrt(x.v));
  else
    return Pack<S, 1>(::sqrtf(x.v));
}
/// Whether it holds.
template <class S>
SDE_INLINE bool any(Mask<S, 1> m) {
  return m.value;
}

#if defined(__CUDACC__)

template <class S>
inline constexpr int kKernelLanes = 1;

#else

namespace pack_detail {

template <class S, int W>
inline constexpr bool fits_register = static_cast<int>(sizeof(S)) * W <= SDE_REGISTER_BYTES;

/// GCC's vector type of W values.
template <class S, int W>
struct VectorOf {
  static constexpr int bytes = static_cast<int>(sizeof(S)) * W;
  using type [[gnu::vector_size(bytes)]] = S;
};

template <class S, int W, bool Whole = fits_register<S, W>>
struct PackStorage {
  typename VectorOf<S, W>::type v;
};
template <class S, int W>
struct PackStorage<S, W, false> {
  Pack<S, W / 2> lo, hi;
  // Copied half by half: the compiler copies a trivial aggregate in pieces narrower than the registers, and reading
  // those back as a register stalls.
  PackStorage() = default;
  SDE_INLINE PackStorage(Pack<S, W / 2> low, Pack<S, W / 2> high) : lo(low), hi(high) {}
  SDE_INLINE PackStorage(const PackStorage& p) : lo(p.lo), hi(p.hi) {}
  SDE_INLINE PackStorage& operator=(const PackStorage& p) {
    lo = p.lo;
    hi = p.hi;
    return *this;
  }
};

template <class S>
using SignedOf = std::conditional_t<sizeof(S) == 8, std::int64_t, std::int32_t>;

}  // namespace pack_detail

/// Truth values of W lanes: all bits of a lane are set where a comparison of S values holds.
template <class S, int W>
struct Mask {
  using Bits = Pack<pack_detail::SignedOf<S>, W>;
  Bits bits;
  SDE_INLINE friend Mask operator&(Mask a, Mask b) { return {a.bits & b.bits}; }
  SDE_INLINE friend Mask operator|(Mask a, Mask b) { return {a.bits | b.bits}; }
  SDE_INLINE friend Mask operator!(Mask a) { return {~a.bits}; }
  bool operator[](int lane) const { return bits[lane] != 0; }
  /// Refused: lanes may take different sides.
  explicit operator bool() const {
    refused::branch<void>();
    return false;
  }
};

/// W values of S (double, float, or an integer type), one for each path. Implicit from S: the same in all lanes.
template <class S, int W>
struct Pack : pack_detail::PackStorage<S, W> {
  static constexpr bool kWhole = pack_detail::fits_register<S, W>;
  static constexpr int lanes = W;
  using Storage = pack_detail::PackStorage<S, W>;
  using Vector = typename pack_detail::VectorOf<S, W>::type;

  Pack() = default;
  // Inlined where the compiler finds a function large enough by itself, too.
  SDE_INLINE Pack(const Pack&) = default;
  SDE_INLINE Pack& operator=(const Pack&) = default;
  SDE_INLINE Pack(S value) {
    if constexpr (kWhole)
      this->v = value - Vector{};  // a broadcast, signed zeros too
    else
      this->lo = this->hi = Pack<S, W / 2>(value);
  }
  /// Constants and parameters are doubles: in lanes of floats they are rounded, here and nowhere else.
  template <std::same_as<double> D>
  SDE_INLINE Pack(D value) requires(std::is_same_v<S, float>) : Pack(static_cast<S>(value)) {}
  SDE_INLINE explicit Pack(Vector value) requires(kWhole) : Storage{value} {}
  SDE_INLINE Pack(Pack<S, W / 2> low, Pack<S, W / 2> high) requires(!kWhole) : Storage{low, high} {}

  /// first, first + 1, ...
  SDE_INLINE static Pack counting(S first) {
    if constexpr (kWhole) {
      Vector steps;
      for (int l = 0; l < W; ++l) steps[l] = static_cast<S>(l);
      return Pack(first + steps);
    } else {
      return Pack(Pack<S, W / 2>::counting(first), Pack<S, W / 2>::counting(static_cast<S>(first + W / 2)));
    }
  }
  SDE_INLINE static Pack load(const S* from) {
    if constexpr (kWhole) {
      Pack p;
      __builtin_memcpy(&p.v, from, sizeof(Vector));
      return p;
    } else {
      return Pack(Pack<S, W / 2>::load(from), Pack<S, W / 2>::load(from + W / 2));
    }
  }
  /// Lane l is from[l][offset].
  SDE_INLINE static Pack gather(const S* const* from, int offset) {
    if constexpr (kWhole) return [&]<int... l>(std::integer_sequence<int, l...>) {
        return Pack(Vector{from[l][offset]...});
      }
    (std::make_integer_sequence<int, W>());
    else return Pack(Pack<S, W / 2>::gather(from, offset), Pack<S, W / 2>::gather(from + W / 2, offset));
  }
  SDE_INLINE void store(S* to) const {
    if constexpr (kWhole) {
      __builtin_memcpy(to, &this->v, sizeof(Vector));
    } else {
      this->lo.store(to);
      this->hi.store(to + W / 2);
    }
  }
  SDE_INLINE S operator[](int lane) const {
    S value;
    __builtin_memcpy(&value, reinterpret_cast<const char*>(this) + static_cast<int>(sizeof(S)) * lane, sizeof(S));
    return value;
  }
  SDE_INLINE void set(int lane, S value) {
    __builtin_memcpy(reinterpret_cast<char*>(this) + static_cast<int>(sizeof(S)) * lane, &value, sizeof(S));
  }

#  define SDE_BINARY(OP)                                 \
    SDE_INLINE friend Pack operator OP(Pack a, Pack b) { \
      if constexpr (kWhole)                              \
        return Pack(a.v OP b.v);                         \
      else                                               \
        return Pack(a.lo OP b.lo, a.hi OP b.hi);         \
    }                                                    \
    SDE_INLINE Pack& operator OP##=(Pack b) { return *this = *this OP b; }
  SDE_BINARY_OPERATORS(SDE_BINARY)
#  undef SDE_BINARY
#  define SDE_UNARY(OP)                          \
    SDE_INLINE friend Pack operator OP(Pack a) { \
      if constexpr (kWhole)                      \
        return Pack(OP a.v);                     \
      else                                       \
        return Pack(OP a.lo, OP a.hi);           \
    }
  SDE_UNARY(-)
  SDE_UNARY(~)
#  undef SDE_UNARY
#  define SDE_SHIFT(OP)                                 \
    SDE_INLINE friend Pack operator OP(Pack a, int n) { \
      if constexpr (kWhole)                             \
        return Pack(a.v OP n);                          \
      else                                              \
        return Pack(a.lo OP n, a.hi OP n);              \
    }
  SDE_SHIFT(<<)
  SDE_SHIFT(>>)
#  undef SDE_SHIFT
#  define SDE_COMPARE(OP)                                                             \
    SDE_INLINE friend Mask<S, W> operator OP(Pack a, Pack b) {                        \
      if constexpr (kWhole)                                                           \
        return {typename Mask<S, W>::Bits(a.v OP b.v)};                               \
      else                                                                            \
        return {typename Mask<S, W>::Bits((a.lo OP b.lo).bits, (a.hi OP b.hi).bits)}; \
    }
  SDE_COMPARE(<)
  SDE_COMPARE(>)
  SDE_COMPARE(<=)
  SDE_COMPARE(>=)
  SDE_COMPARE(==)
  SDE_COMPARE(!=)
#  undef SDE_COMPARE

  /// Lane-wise `condition ? yes : no`.
  SDE_INLINE friend Pack select(Mask<S, W> condition, Pack yes, Pack no) {
    if constexpr (kWhole)
      return Pack(condition.bits.v ? yes.v : no.v);
    else
      return Pack(select(Mask<S, W / 2>{condition.bits.lo}, yes.lo, no.lo),
                  select(Mask<S, W / 2>{condition.bits.hi}, yes.hi, no.hi));
  }
  /// The smaller and the larger one; where either is not a number, or both are equal, the first.
  SDE_INLINE friend Pack min(Pack a, Pack b) { return select(b < a, b, a); }
  SDE_INLINE friend Pack max(Pack a, Pack b) { return select(a < b, b, a); }
};

/// Square root of each lane, correctly rounded.
template <class S, int W>
SDE_INLINE Pack<S, W> sqrt(Pack<S, W> x) {
  if constexpr (Pack<S, W>::kWhole) {
    for (int l = 0; l < W; ++l) {
      if constexpr (sizeof(S) == 8)
        x.v[l] = __builtin_sqrt(x.v[l]);
      else
        x.v[l] = __builtin_sqrtf(x.v[l]);
    }
    return x;
  } else {
    return Pack<S, W>(sqrt(x.lo), sqrt(x.hi));
  }
}

/// Whether it holds in any lane.
template <class S, int W>
SDE_INLINE bool any(Mask<S, W> m) {
  if constexpr (!Pack<S, W>::kWhole) {
    return any(Mask<S, W / 2>{m.bits.lo | m.bits.hi});
  } else {
#  if SDE_REGISTER_BYTES == 64
    if constexpr (sizeof(S) * W == 64) return _mm512_test_epi64_mask((__m512i)m.bits.v, (__m512i)m.bits.v) != 0;
#  endif
#  if SDE_REGISTER_BYTES >= 32
    if constexpr (sizeof(S) * W == 32) return !_mm256_testz_si256((__m256i)m.bits.v, (__m256i)m.bits.v);
#  endif
    pack_detail::SignedOf<S> bits = 0;
    for (int lane = 0; lane < W; ++lane) bits |= m.bits[lane];
    return bits != 0;
  }
}

/// What kernels advance at once: two registers, whose chains of operations hide each other's latency.
template <class S>
inline constexpr int kKernelLanes = 2 * SDE_REGISTER_BYTES / static_cast<int>(sizeof(S));

#endif  // __CUDACC__
#undef SDE_BINARY_OPERATORS

/// The doubles of one step of a kernel.
using Real = Pack<double, kKernelLanes<double>>;

}  // namespace SDE_SIMD_NAMESPACE

/// What lanes do, for plain numbers.
SDE_DEVICE inline double select(bool condition, double yes, double no) { return condition ? yes : no; }
/// What lanes do, for plain numbers.
SDE_DEVICE inline float select(bool condition, float yes, float no) { return condition ? yes : no; }
/// What lanes do, for plain truth values.
SDE_DEVICE inline bool any(bool m) { return m; }

/// The scalar type, the number of paths held by a value of type T, and access to one of them.
template <class T>
struct LanesOf {
  using Scalar = T;
  static constexpr int count = 1;
};
template <class S, int W>
struct LanesOf<Pack<S, W>> {
  using Scalar = S;
  static constexpr int count = W;
};
/// The type of one path's number in a T.
template <class T>
using scalar_of = typename LanesOf<T>::Scalar;
/// The number of paths in a T.
template <class T>
inline constexpr int lanes_of = LanesOf<T>::count;

/// The number of path l.
SDE_DEVICE inline double lane(double x, int) { return x; }
/// The number of path l.
template <class S, int W>
SDE_DEVICE S lane(const Pack<S, W>& x, int l) {
  return x[l];
}
/// Sets the number of path l.
SDE_DEVICE inline void set_lane(double& x, int, double value) { x = value; }
/// Sets the number of path l.
template <class S, int W>
SDE_DEVICE void set_lane(Pack<S, W>& x, int l, S value) {
  x.set(l, value);
}

/// Paths that are handed to a kernel together; it takes them in packs of the machine's width.
inline constexpr int kLanes = 32;
static_assert(kLanes % kKernelLanes<double> == 0 && kLanes % kKernelLanes<float> == 0);

}  // namespace sde
