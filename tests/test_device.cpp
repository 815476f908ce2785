// Everything of the GPU backend but the launch: the kernels' bodies and tiles, run on the CPU, against the CPU's packs.
#include <doctest/doctest.h>

#include "../gpu/host_device.hpp"
#include "../gpu/tile.hpp"
#include "all_losses.hpp"
#include "sde/loss/models.hpp"
#include "sde/manifold/flow_map.hpp"

using namespace sde;

namespace {

constexpr long kPaths = 20;

template <class L>
Noise all_sources(const L& l) {
  const int d = l.dim();
  Noise noise;
  noise.sigma2 = 0.5;
  noise.rank = 2;
  noise.factor = loss::normal_data(3, 4, 2 * d);
  noise.state_rank = 1;
  noise.state = loss::normal_data(3, 5, (d + 1) * d);
  for (double& v : noise.factor) v *= 0.1;
  for (double& v : noise.state) v *= 0.05;
  return noise;
}

/// Largest difference of a tile's state from that of the CPU's kernel, whose lanes are the same paths.
template <class Advance>
void check_same_bits(const TileState& state, int d, const std::vector<double>& start, Advance advance) {
  for (long first = 0; first < kPaths; first += kLanes) {
    std::vector<double> x(static_cast<std::size_t>(d * kLanes));
    for (int k = 0; k < d; ++k)
      for (int l = 0; l < kLanes; ++l) x[static_cast<std::size_t>(k * kLanes + l)] = start[static_cast<std::size_t>(k)];
    double spread[kLanes] = {};
    advance(x.data(), static_cast<std::uint32_t>(first), spread);
    for (long path = first; path < std::min(kPaths, first + kLanes); ++path) {
      for (int k = 0; k < d; ++k)
        CHECK(state.x[static_cast<std::size_t>(k * kPaths + path)] ==
              x[static_cast<std::size_t>(k * kLanes + path - first)]);
      CHECK(state.spread[static_cast<std::size_t>(path)] == spread[path - first]);
    }
  }
}

template <class L>
void check_discrete(const L& l, const Noise& noise, const std::vector<double>& start, bool conventional,
                    Precision precision) {
  discrete::LocalSgd a{.workers = 2, .batch = 4, .conventional = conventional, .substeps = conventional ? 2 : 1,
                       .seed = 7};
  a.rate.eta = 0.01;
  a.rate.steps = 40;
  a.sync.H = 5;
  const gpu::DeviceModelOf<gpu::HostDevice, L> device(l);
  const auto tile = device.discrete_tile(0, kPaths, noise, a, precision);
  tile->start(0, kPaths, start.data());
  std::vector<double> rates;
  for (std::int64_t k = 0; k < a.rate.steps;) {
    const auto rounds = discrete::rounds_from(a, k, a.rate.steps, 15, rates);
    tile->advance(rounds);
    k = rounds.to;
  }
  TileState state;
  tile->read(state);
  const auto model = model_of(l);  // outlives its kernel
  const auto kernel = model->discrete_kernel(noise, a, precision);
  check_same_bits(state, l.dim(), start, [&](double* x, std::uint32_t path, double* spread) {
    kernel->advance(x, path, 0, a.rate.steps, spread);
  });
}

template <class L>
void check_slow(const L& l, const Noise& noise, const std::vector<double>& start, slow::Integrator integrator,
                Precision precision) {
  const gpu::DeviceModelOf<gpu::HostDevice, L> device(l);
  const auto tile = device.slow_tile(0, kPaths, noise, 7, precision);
  tile->start(0, kPaths, start.data());
  slow::Steps steps;
  steps.parameters = {.batch = 8, .workers = 4, .alpha = 0.4};
  steps.dt = 1e-3;
  steps.count = 12;
  steps.integrator = integrator;
  tile->advance(steps);
  TileState state;
  tile->read(state);
  const auto model = model_of(l);
  const auto kernel = model->residual_slow_kernel(noise, precision);
  check_same_bits(state, l.dim(), start,
                  [&](double* x, std::uint32_t path, double*) { kernel->advance(x, {7, path, 0}, steps); });
}

}  // namespace

TEST_CASE("a device's discrete algorithms give the CPU's bits, for every loss and noise") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    for (const auto precision : {Precision::full, Precision::single})
      for (const bool conventional : {false, true})
        for (const auto law : {Law::gaussian, Law::two_point})
          for (const auto sampling : {Sampling::full, Sampling::with_replacement, Sampling::without_replacement}) {
            Noise noise = all_sources(l);
            noise.label_law = law;
            noise.sampling = sampling;
            check_discrete(l, noise, start, conventional, precision);
          }
  });
}

TEST_CASE("kernels for one source of noise give the bits of the kernel for all") {
  const std::vector<double> start{0.5, 0.9};
  for (const auto law : {Law::gaussian, Law::two_point}) {
    Noise labels;
    labels.sigma2 = 0.5;
    labels.label_law = law;
    check_discrete(loss::Ring{0.5}, labels, start, false, Precision::full);
    check_discrete(loss::Hyperbola{}, labels, start, false, Precision::single);
  }
  Noise additive;
  additive.rank = 2;
  additive.factor = {0.5, 0.1, -0.2, 0.3};
  check_discrete(loss::Ring{0.5}, additive, start, false, Precision::full);
  check_discrete(loss::Valley{}, additive, start, false, Precision::full);
  check_discrete(loss::Ring{0.5}, Noise{}, start, false, Precision::full);
}

TEST_CASE("a device's slow SDEs give the CPU's bits, for every loss") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    auto on_gamma = start;
    manifold::FlowMap{*model_of(l)}(on_gamma.data());
    for (const auto precision : {Precision::full, Precision::single})
      for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler})
        check_slow(l, all_sources(l), on_gamma, integrator, precision);
  });
}
