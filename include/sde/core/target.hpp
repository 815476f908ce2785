// Who compiles a template: g++ for lanes of the CPU, nvcc for the CPU and a GPU both.
#pragma once

#if defined(__CUDACC__)
/// A function that also runs on a GPU.
#  define SDE_DEVICE __host__ __device__
/// For what only makes sense inside its caller: a call would pass packs through memory.
#  define SDE_INLINE __host__ __device__ __forceinline__
/// For what a kernel calls from many places, seldom: one copy of it.
#  define SDE_APART __host__ __device__ __noinline__
/// For what evaluates a loss for derivatives alone: all that it calls is inlined, so that what else those would give, a
/// logarithm say, is not computed.
#  define SDE_FLAT __host__ __device__
#else
#  define SDE_DEVICE
#  define SDE_INLINE [[gnu::always_inline]] inline
#  define SDE_APART [[gnu::noinline]]
#  define SDE_FLAT [[gnu::flatten]]
#endif

/// Before a loop over an array that must stay in registers. g++, for the CPU, unrolls such loops without being told.
#if defined(__CUDA_ARCH__)
#  define SDE_UNROLL _Pragma("unroll")
#else
#  define SDE_UNROLL
#endif
