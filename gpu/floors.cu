#include "floors.hpp"

#include <cmath>

#include "cuda_device.cuh"

namespace sde::gpu {

namespace {

using bench::Work;

constexpr long kThreads = 1 << 20;  // several times what a device has in work at once

struct Board {
  CudaDevice device;
  CudaDevice::Memory<double> sink;
  explicit Board(int ordinal) : device(ordinal), sink(device, kThreads) {}
};
using SharedBoard = std::shared_ptr<Board>;

/// A work whose body does `per_round` units in each of its rounds.
template <class Body>
Work floor_work(const SharedBoard& board, const char* name, const char* unit, Precision precision, double per_round) {
  Work w;
  w.name = name;
  w.unit = unit;
  w.precision = precision;
  w.run = [board, per_round](int, double units) {
    const long rounds = static_cast<long>(std::ceil(units / (per_round * kThreads)));
    board->device.launch(kThreads, Body{rounds, board->sink.data()});
    board->device.wait();
    return static_cast<double>(rounds) * per_round * kThreads;
  };
  return w;
}

template <class S, bool kFused>
Work arithmetic(const SharedBoard& board, const char* name, const char* unit) {
  using Chains = MultiplyAdd<S, kFused>;
  return floor_work<Chains>(board, name, unit, bench::precision_of<S>, 2 * Chains::kChains);
}

template <template <class> class Stream, class S>
Work device_work(const SharedBoard& board, bool weak) {
  Work w = bench::linear_work(bench::precision_of<S>, weak);
  const auto ends = std::make_shared<CudaDevice::Memory<S>>(board->device, kThreads);
  const auto go = [board, ends](int, double units, stats::Moments* moments) {
    const auto groups = static_cast<std::uint32_t>(std::ceil(units / (double(kThreads) * bench::kLinearSteps)));
    std::vector<S> here(kThreads);
    for (std::uint32_t g = 0; g < groups; ++g) {
      board->device.launch(kThreads, LinearSde<Stream, S>{g * static_cast<std::uint32_t>(kThreads), ends->data()});
      if (!moments) continue;
      ends->read(here.data(), here.size());
      for (const S x : here) moments->add(x);
    }
    board->device.wait();
    return static_cast<double>(groups) * kThreads * bench::kLinearSteps;
  };
  bench::set_runs(w, go, double(kThreads) * bench::kLinearSteps);
  return w;
}

}  // namespace

std::array<std::uint32_t, 4> words(int ordinal, const random::StreamKey& key, random::Purpose purpose,
                                   std::uint64_t block) {
  CudaDevice device(ordinal);
  CudaDevice::Memory<std::uint64_t> made(device, 4);
  device.launch(1, OneBlock{key, purpose, block, made.data()});
  std::uint64_t four[4];
  made.read(four, 4);
  std::array<std::uint32_t, 4> narrow;
  for (std::size_t i = 0; i < 4; ++i) narrow[i] = static_cast<std::uint32_t>(four[i]);
  return narrow;
}

std::vector<Work> floors(int ordinal) {
  using P = Precision;
  const auto board = std::make_shared<Board>(ordinal);
  return {floor_work<DrawWords>(board, "Philox4x32-10 words", "words", P::full, 4),
          floor_work<Draw<random::NormalStream, double>>(board, "standard normals", "normals", P::full, 1),
          floor_work<Draw<random::NormalStream, float>>(board, "standard normals, float", "normals", P::single, 1),
          floor_work<Draw<random::SignStream, double>>(board, "two-point increments", "signs", P::full, 1),
          floor_work<Draw<random::SignStream, float>>(board, "two-point increments, float", "signs", P::single, 1),
          arithmetic<double, true>(board, "fused multiply-adds", "flops"),
          arithmetic<float, true>(board, "fused multiply-adds, float", "flops"),
          arithmetic<double, false>(board, "multiplications and additions", "unfused flops"),
          arithmetic<float, false>(board, "multiplications and additions, float", "unfused flops")};
}

std::vector<Work> linear_works(int ordinal) {
  const auto board = std::make_shared<Board>(ordinal);
  return {device_work<random::NormalStream, double>(board, false),
          device_work<random::NormalStream, float>(board, false), device_work<random::SignStream, double>(board, true),
          device_work<random::SignStream, float>(board, true)};
}

}  // namespace sde::gpu
