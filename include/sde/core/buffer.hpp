// Who advances a path together, and the working storage of a kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "sde/core/target.hpp"

namespace sde {

/// A size that is only known when the program runs.
inline constexpr int kDynamic = -1;

/// A size that the compiler knows where N is a constant, so that it unrolls loops over it; stored where it is kDynamic.
template <int N>
struct Extent {
  SDE_DEVICE constexpr Extent(int) {}
  SDE_DEVICE constexpr operator int() const { return N; }
};
template <>
struct Extent<kDynamic> {
  int value;
  SDE_DEVICE constexpr Extent(int size) : value(size) {}
  SDE_DEVICE constexpr operator int() const { return value; }
};

/// One thread with its paths: every path of the CPU, and of a GPU where the loss has a small constant dimension. A team
/// of several threads that share a path, or a thread with memory for a path of any dimension (gpu/team.hpp), has the
/// same members, and storage of its own.
struct Solo {
  SDE_INLINE void sync() const {}
  /// f(0), ..., f(n - 1), each by one member, without waiting for the others.
  template <class F>
  SDE_INLINE void strided(int n, F f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
  /// The same after everything before it and before everything that follows.
  template <class F>
  SDE_INLINE void each(int n, F f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
  /// f() by one member, in order as each().
  template <class F>
  SDE_INLINE void once(F f) const {
    f();
  }
  /// f() by the member that strided() gives number i to.
  template <class F>
  SDE_INLINE void mine(int, F f) const {
    f();
  }
};

/// Whether a team is one thread, which need not wait for others.
template <class Team>
inline constexpr bool kAlone = std::is_base_of_v<Solo, Team>;

/// size values of a team: in registers or on the stack where the size is a constant, allocated once before the loop
/// where it is not; shared by the members where there are several.
template <class T, int N, class Team = Solo>
class Buffer {
 public:
  SDE_DEVICE Buffer(int size, const Team& team) : values_(team.template take<T>(size)) {}  // for the kernel's life
  SDE_DEVICE T* data() { return values_; }
  SDE_DEVICE const T* data() const { return values_; }
  SDE_DEVICE T& operator[](int i) { return values_[i]; }
  SDE_DEVICE const T& operator[](int i) const { return values_[i]; }

 private:
  T* values_;
};

template <class T, int N>
class Buffer<T, N, Solo> {
 public:
  SDE_DEVICE explicit Buffer(int, Solo = {}) {}
  SDE_DEVICE T* data() { return values_; }
  SDE_DEVICE const T* data() const { return values_; }
  SDE_DEVICE T& operator[](int i) { return values_[i]; }
  SDE_DEVICE const T& operator[](int i) const { return values_[i]; }

 private:
  T values_[N > 0 ? N : 1];  // NOLINT(bugprone-branch-clone): they are one number where N is 1
};

template <class T>
class Buffer<T, kDynamic, Solo> {
 public:
  explicit Buffer(int size, Solo = {}) : storage_(static_cast<std::size_t>(size) + kRoom), values_(first()) {}
  Buffer(Buffer&&) noexcept = default;  // the storage stays where it is
  T* data() { return values_; }
  const T* data() const { return values_; }
  T& operator[](int i) { return values_[i]; }
  const T& operator[](int i) const { return values_[i]; }

 private:
  static constexpr std::size_t kPage = 4096, kPlaces = 8, kRoom = kPage / sizeof(T) + 1;
  /// Arrays that begin at the same place of a page are slow together: the processor takes a load from one for a load of
  /// what it has just stored in another, and they compete for the same lines of the cache. Each begins at the next
  /// place.
  T* first() {
    thread_local std::size_t place = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    return storage_.data() + (place++ % kPlaces * (kPage / kPlaces) - address) % kPage / sizeof(T);
  }

  std::vector<T> storage_;
  T* values_;
};

/// f(0), ..., f(count - 1), for count <= N. A GPU's registers have no addresses: with a constant N the compiler sees
/// every index.
template <int N, class F>
SDE_INLINE void for_indices(int count, F f) {
  if constexpr (N == kDynamic) {
    for (int i = 0; i < count; ++i) f(i);
  } else {
    SDE_UNROLL
    for (int i = 0; i < N; ++i)
      if (i < count) f(i);
  }
}
/// f(i), for i < N, in the same way.
template <int N, class F>
SDE_INLINE void at_index(int i, F f) {
  if constexpr (N == kDynamic) {
    f(i);
  } else {
    SDE_UNROLL
    for (int j = 0; j < N; ++j)
      if (j == i) f(j);
  }
}

/// Product of two sizes of which either may be kDynamic.
SDE_DEVICE constexpr int times(int a, int b) { return a == kDynamic || b == kDynamic ? kDynamic : a * b; }

}  // namespace sde
