// The CPU in the place of a device: the same bodies, tiles and reductions, one thread of a kernel after another, the
// members of a team as threads. For tests on machines without a GPU, and under sanitizers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "team.hpp"

namespace sde::gpu {

class HostDevice {
 public:
  /// Bytes that allocations may take together: tests make it small.
  static inline std::size_t memory = ~std::size_t(0);

  /// Bytes of a path that a lone thread may have: tests make it small, so that teams take every path.
  static inline std::size_t lone_limit = 1 << 20;

  static constexpr double kUntouched = -1.2345e-67;

  explicit HostDevice(int) {}

  template <class T>
  class Memory {
   public:
    Memory() = default;
    Memory(const HostDevice&, std::size_t n) : values_(allowed(n)) {}
    T* data() { return values_.data(); }
    std::size_t size() const { return values_.size(); }
    void write(const T* from, std::size_t n) { std::copy_n(from, n, values_.begin()); }
    void read(T* to, std::size_t n, std::size_t first = 0) const {
      std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(first), n, to);
    }

   private:
    static std::size_t allowed(std::size_t n) {
      if (n * sizeof(T) > memory) throw std::bad_alloc();
      return n;
    }
    std::vector<T> values_;
  };

  void wait() {}
  template <class Body>
  void launch(long count, const Body& body) {
    for (long i = 0; i < count; ++i) body(i);
  }
  template <class Body>
  void launch_lone(long count, std::size_t arena, const Body& body) {
    Arena storage(arena);
    for (long i = 0; i < count; ++i) {
      std::size_t used = 0;
      body(Lone(storage.data(), &used), i, count, count);
    }
    storage.check();
  }
  template <class Body>
  void launch_teams(long count, int, std::size_t arena, const Body& body) {
    constexpr int kMembers = 3, kTeams = 2;
    for (long first = 0; first < std::min<long>(kTeams, count); ++first) {
      Arena storage(arena);
      Barrier barrier(kMembers);
      {
        std::vector<std::jthread> members;
        for (int m = 0; m < kMembers; ++m)
          members.emplace_back([&, m] {
            std::size_t used = 0;
            body(Team(m, kMembers, storage.data(), &used, &barrier), first, kTeams, count);
          });
      }
      storage.check();
    }
  }

 private:
  /// Bytes that nobody may go beyond.
  class Arena {
   public:
    explicit Arena(std::size_t bytes)
        : size_(static_cast<std::ptrdiff_t>((bytes + sizeof(double) - 1) / sizeof(double))),
          values_(static_cast<std::size_t>(size_ + kGuard), kUntouched) {}
    char* data() { return reinterpret_cast<char*>(values_.data()); }
    void check() const {
      if (std::count(values_.begin() + size_, values_.end(), kUntouched) != kGuard)
        throw std::logic_error("a path took more than its arena");
    }

   private:
    static constexpr int kGuard = 1 << 12;
    std::ptrdiff_t size_;
    std::vector<double> values_;
  };
};

}  // namespace sde::gpu
