// A CUDA device: memory, launches, errors. What runs is in steps.hpp; here is what only CUDA has.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "sde/model/device_model.hpp"
#include "team.hpp"

namespace sde::gpu {

/// Throws DeviceFailure, with CUDA's words, unless `status` is success.
inline void check(cudaError_t status, const char* doing) {
  if (status != cudaSuccess)
    throw DeviceFailure(std::string("the CUDA device failed while ") + doing + ": " + cudaGetErrorString(status));
}

/// A lone thread's own memory for the arrays of its path.
inline constexpr std::size_t kLoneBytes = 4096;

/// Blocks of 128 threads that shall fit a multiprocessor: they bound the registers of a thread, here to 128. A body
/// that carries more names fewer.
template <class Body>
constexpr int resident_blocks() {
  if constexpr (requires { Body::kResidentBlocks; }) return Body::kResidentBlocks;
  return 4;
}

template <class Body>
__global__ void __launch_bounds__(128, resident_blocks<Body>())
    path_per_thread(const __grid_constant__ Body body, long count) {
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) body(i);
}

/// A path of any dimension for each thread, whose arrays stand in the thread's own part of local memory.
template <class Body>
__global__ void __launch_bounds__(128, resident_blocks<Body>())
    path_per_lone(const __grid_constant__ Body body, long count) {
  __align__(16) char arena[kLoneBytes];
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  std::size_t used = 0;
  if (i < count) body(Lone(arena, &used), i, count, count);
}

/// Blocks of 256 threads, or as many warps, of teams that shall fit a multiprocessor's registers.
template <class Body>
constexpr int resident_teams() {
  if constexpr (requires { Body::kResidentTeams; }) return Body::kResidentTeams;
  return 1;
}

/// A team for each block, with `bytes` of `arena`, or of shared memory where there is no arena.
template <class Body>
__global__ void __launch_bounds__(256, resident_teams<Body>())
    path_per_team(const __grid_constant__ Body body, long count, std::size_t bytes, char* arena) {
  extern __shared__ __align__(16) char shared[];
  char* const mine = arena ? arena + static_cast<std::size_t>(blockIdx.x) * bytes : shared;
  std::size_t used = 0;
  body(Team(static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x), mine, &used), static_cast<long>(blockIdx.x),
       static_cast<long>(gridDim.x), count);
}

class CudaDevice {
 public:
  /// Bytes of a path that a lone thread may have.
  static constexpr std::size_t lone_limit = kLoneBytes;

  /// Throws DeviceUnusable where there is no device `ordinal`.
  explicit CudaDevice(int ordinal);
  CudaDevice(const CudaDevice&) = delete;
  ~CudaDevice();

  template <class T>
  class Memory {
   public:
    Memory() = default;
    /// Throws std::bad_alloc where the device has no room.
    Memory(const CudaDevice& device, std::size_t n) : device_(&device), size_(n) {
      if (n > 0) at_ = static_cast<T*>(device.allocate(n * sizeof(T)));
    }
    Memory(Memory&& m) noexcept { swap(m); }
    Memory& operator=(Memory&& m) noexcept {
      Memory taken(std::move(m));
      swap(taken);
      return *this;
    }
    ~Memory() {
      if (at_) device_->release(at_);
    }
    T* data() { return at_; }
    std::size_t size() const { return size_; }
    void write(const T* from, std::size_t n) {
      if (n > 0) device_->copy_in(at_, from, n * sizeof(T));
    }
    void read(T* to, std::size_t n, std::size_t first = 0) const {
      if (n > 0) device_->copy_out(to, at_ + first, n * sizeof(T));
    }

   private:
    void swap(Memory& m) noexcept {
      std::swap(device_, m.device_);
      std::swap(at_, m.at_);
      std::swap(size_, m.size_);
    }
    const CudaDevice* device_ = nullptr;
    T* at_ = nullptr;
    std::size_t size_ = 0;
  };

  void wait() const { check(cudaStreamSynchronize(stream_), "working"); }

  template <class Body>
  void launch(long count, const Body& body) {
    launch_threads(path_per_thread<Body>, count, body);
  }
  /// A path for each thread, with `arena` bytes, up to kLoneBytes.
  template <class Body>
  void launch_lone(long count, std::size_t, const Body& body) {
    launch_threads(path_per_lone<Body>, count, body);
  }

  /// Teams of `members`, one to a block, with `arena` bytes each: in shared memory where there is room, else in global
  /// memory.
  template <class Body>
  void launch_teams(long count, int members, std::size_t arena, const Body& body) {
    if (count == 0) return;
    use();
    const bool shared = arena <= shared_limit_;
    const std::size_t in_shared = shared ? arena : 0;
    const auto kernel = path_per_team<Body>;
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(in_shared)),
          "asking for shared memory");
    int resident = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, members, in_shared), "counting blocks");
    const long blocks = std::min(count, static_cast<long>(std::max(1, resident)) * multiprocessors_);
    char* global = nullptr;
    if (!shared) global = scratch(arena * static_cast<std::size_t>(blocks));
    kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(members), in_shared, stream_>>>(body, count, arena,
                                                                                                  global);
    check(cudaGetLastError(), "starting a kernel");
  }

 private:
  template <class Body>
  void launch_threads(void (*kernel)(Body, long), long count, const Body& body) {
    if (count == 0) return;
    constexpr unsigned kThreads = 128;
    use();
    kernel<<<static_cast<unsigned>((count + kThreads - 1) / kThreads), kThreads, 0, stream_>>>(body, count);
    check(cudaGetLastError(), "starting a kernel");
  }
  void use() const { check(cudaSetDevice(ordinal_), "choosing it"); }
  void* allocate(std::size_t bytes) const;
  void release(void* at) const noexcept;
  void copy_in(void* to, const void* from, std::size_t bytes) const;
  void copy_out(void* to, const void* from, std::size_t bytes) const;
  char* scratch(std::size_t bytes);

  int ordinal_ = 0, multiprocessors_ = 1;
  std::size_t shared_limit_ = 0;
  cudaStream_t stream_ = nullptr;
  void* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace sde::gpu
