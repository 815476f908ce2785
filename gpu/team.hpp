// Who takes a path whose dimension is no constant (core/buffer.hpp names the members). A Team of several threads: the
// lanes of a warp, or a thread block where there are more; their arrays stand in an arena of shared or global memory. A
// Lone thread, where the arrays are small: they stand in memory of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sde/core/buffer.hpp"
#if !defined(__CUDACC__)
#  include "barrier.hpp"
#endif

namespace sde::gpu {

class Team {
 public:
#if defined(__CUDACC__)
  /// `used` counts this member's share of the arena, the same in all: they take the same arrays in the same order.
  SDE_DEVICE Team(int member, int size, char* arena, std::size_t* used)
      : member_(member), size_(size), arena_(arena), used_(used) {}
  SDE_DEVICE void sync() const {
#  if defined(__CUDA_ARCH__)
    if (size_ == 32)
      __syncwarp();
    else
      __syncthreads();
#  endif
  }
#else
  Team(int member, int size, char* arena, std::size_t* used, Barrier* barrier)
      : member_(member), size_(size), arena_(arena), used_(used), barrier_(barrier) {}
  void sync() const {
    if (barrier_) barrier_->arrive_and_wait();
  }
#endif
  /// One that only counts what is taken.
  static Team counting(int size, std::size_t* used) {
#if defined(__CUDACC__)
    return Team(0, size, nullptr, used);
#else
    return Team(0, size, nullptr, used, nullptr);
#endif
  }
  SDE_DEVICE int member() const { return member_; }
  SDE_DEVICE int size() const { return size_; }

  template <class F>
  SDE_INLINE void strided(int n, F f) const {
    for (int i = member_; i < n; i += size_) f(i);
  }
  template <class F>
  SDE_INLINE void each(int n, F f) const {
    sync();
    strided(n, f);
    sync();
  }
  template <class F>
  SDE_INLINE void once(F f) const {
    sync();
    if (member_ == 0) f();
    sync();
  }
  template <class F>
  SDE_INLINE void mine(int i, F f) const {
    if (i % size_ == member_) f();
  }

  /// n values of the arena, the same for all members.
  template <class T>
  SDE_DEVICE T* take(int n) const {
    T* const taken = reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(arena_) + *used_);
    *used_ += bytes<T>(n);
    return taken;
  }
  SDE_DEVICE std::size_t used() const { return *used_; }
  SDE_DEVICE void give_back(std::size_t used) const { *used_ = used; }

  template <class T>
  SDE_DEVICE static std::size_t bytes(int n) {
    constexpr std::size_t kAlignment = 16;
    return (sizeof(T) * static_cast<std::size_t>(n) + kAlignment - 1) / kAlignment * kAlignment;
  }

 private:
  int member_, size_;
  char* arena_;
  std::size_t* used_;
#if !defined(__CUDACC__)
  Barrier* barrier_;
#endif
};

class Lone : public Solo {
 public:
  SDE_DEVICE Lone(char* arena, std::size_t* used) : arena_(arena), used_(used) {}
  /// One that only counts what is taken.
  static Lone counting(std::size_t* used) { return {nullptr, used}; }
  SDE_DEVICE int member() const { return 0; }
  SDE_DEVICE int size() const { return 1; }
  template <class T>
  SDE_DEVICE T* take(int n) const {
    T* const taken = arena_ ? reinterpret_cast<T*>(arena_ + *used_) : nullptr;
    *used_ += Team::bytes<T>(n);
    return taken;
  }
  SDE_DEVICE std::size_t used() const { return *used_; }
  SDE_DEVICE void give_back(std::size_t used) const { *used_ = used; }

 private:
  char* arena_;
  std::size_t* used_;
};

}  // namespace sde::gpu
