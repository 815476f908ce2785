// Working storage of a kernel: in registers or on the stack where the size is a compile-time constant, allocated once
// before the loop where it is not.
#pragma once

#include <cstddef>
#include <vector>

namespace sde {

inline constexpr int kDynamic = -1;

/// A size that the compiler knows where N is a constant, so that it unrolls loops over it; stored where it is kDynamic.
template <int N>
struct Extent {
  constexpr Extent(int) {}
  constexpr operator int() const { return N; }
};
template <>
struct Extent<kDynamic> {
  int value;
  constexpr Extent(int size) : value(size) {}
  constexpr operator int() const { return value; }
};

template <class T, int N>
class Buffer {
 public:
  explicit Buffer(int) {}
  T* data() { return values_; }
  const T* data() const { return values_; }
  T& operator[](int i) { return values_[i]; }
  const T& operator[](int i) const { return values_[i]; }

 private:
  T values_[N > 0 ? N : 1];
};

template <class T>
class Buffer<T, kDynamic> {
 public:
  explicit Buffer(int size) : values_(static_cast<std::size_t>(size)) {}
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  T& operator[](int i) { return values_[static_cast<std::size_t>(i)]; }
  const T& operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<T> values_;
};

/// Product of two sizes of which either may be kDynamic.
constexpr int times(int a, int b) { return a == kDynamic || b == kDynamic ? kDynamic : a * b; }

}  // namespace sde
