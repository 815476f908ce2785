// The CPU in the place of a device: the same bodies, tiles and reductions, one thread of a kernel after another, the
// members of a team as threads. For tests on machines without a GPU, and under sanitizers.
#pragma once

#include <algorithm>
#include <barrier>
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
  void launch_teams(long count, int, std::size_t arena, const Body& body) {
    constexpr int kMembers = 3, kTeams = 2, kGuard = 1 << 12;
    for (long first = 0; first < std::min<long>(kTeams, count); ++first) {
      const auto size = static_cast<std::ptrdiff_t>((arena + sizeof(double) - 1) / sizeof(double));
      std::vector<double> storage(static_cast<std::size_t>(size + kGuard), kUntouched);
      std::barrier<> barrier(kMembers);
      {
        std::vector<std::jthread> members;
        for (int m = 0; m < kMembers; ++m)
          members.emplace_back([&, m] {
            std::size_t used = 0;
            body(Team(m, kMembers, reinterpret_cast<char*>(storage.data()), &used, &barrier), first, kTeams, count);
          });
      }
      if (std::count(storage.begin() + size, storage.end(), kUntouched) != kGuard)
        throw std::logic_error("a team took more than its arena");
    }
  }
};

}  // namespace sde::gpu
