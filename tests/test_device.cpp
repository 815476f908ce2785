// Everything of the GPU backend but the launch: the kernels' bodies and tiles, run on the CPU, against the CPU's packs.
#include <doctest/doctest.h>

#include "../gpu/host_device.hpp"
#include "../gpu/tile.hpp"
#include "all_losses.hpp"
#include "sde/ensemble/method.hpp"
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

TEST_CASE("a device's gradients of the drawn residuals alone have the CPU's bits") {
  const auto check = [](const auto& l) {
    const auto start = loss::normal_data(3, 6, l.dim());
    for (const auto precision : {Precision::full, Precision::single})
      for (const auto sampling : {Sampling::with_replacement, Sampling::without_replacement}) {
        Noise noise = all_sources(l);
        noise.sampling = sampling;
        check_discrete(l, noise, start, false, precision);
      }
  };
  check(loss::Flat(8, 10, 3));
  check(loss::DiagonalNetwork(8, 10, 2, 5));
  check(loss::TanhNetwork(8, 2, 3, 1, 5));
  check(loss::MatrixSensing(8, 3, 2, 1, 5));
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

namespace {

/// A problem whose "GPU" is the CPU in its place.
template <class L>
ensemble::Problem on_host_device(const L& l, const Noise& noise, const std::vector<double>& start) {
  ensemble::Problem p;
  auto model = model_of(l);
  model->device = [l] { return std::make_shared<gpu::DeviceModelOf<gpu::HostDevice, L>>(l); };
  p.model = model;
  p.noise = noise;
  p.start = Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.settle();
  return p;
}

/// The same paths, observed through another integration of Phi to FlowOptions::tolerance = 1e-9: rates are differences
/// over 0.1, and fourth moments at most a few hundred. Through the host there is no difference at all.
double observed_to = 0;
bool close(double a, double b) { return std::abs(a - b) <= observed_to * (1 + std::abs(a)); }

void check_same(const std::vector<std::vector<stats::Moments>>& a, const std::vector<std::vector<stats::Moments>>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t t = 0; t < a.size(); ++t)
    for (std::size_t q = 0; q < a[t].size(); ++q) {
      CHECK(a[t][q].n == b[t][q].n);
      CHECK(close(a[t][q].mean, b[t][q].mean));
      CHECK(close(a[t][q].m2, b[t][q].m2));
      CHECK(close(a[t][q].m4, b[t][q].m4));
    }
}
void check_same(const ensemble::MethodResult& a, const ensemble::MethodResult& b) {
  check_same(a.values, b.values);
  check_same(a.drift_1, b.drift_1);
  check_same(a.drift_2, b.drift_2);
  check_same(a.ito_normal, b.ito_normal);
  check_same(a.diffusion, b.diffusion);
  check_same(a.rate, b.rate);
  REQUIRE(a.samples.size() == b.samples.size());
  for (std::size_t t = 0; t < a.samples.size(); ++t)
    for (std::size_t q = 0; q < a.samples[t].size(); ++q) {
      REQUIRE(a.samples[t][q].size() == b.samples[t][q].size());
      for (std::size_t i = 0; i < a.samples[t][q].size(); ++i) CHECK(close(a.samples[t][q][i], b.samples[t][q][i]));
    }
  CHECK(a.paths == b.paths);
  CHECK(a.lost == b.lost);
  CHECK(a.first_lost.path == b.first_lost.path);
  CHECK(a.first_lost.step == b.first_lost.step);
  CHECK(a.first_lost.reason == b.first_lost.reason);
  CHECK(a.gradients == b.gradients);
}

ensemble::Method method_of(ensemble::Kind kind, double eta, long paths) {
  ensemble::Method m;
  m.kind = kind;
  m.paths = paths;
  m.dt = 0.01;
  m.algorithm = {.workers = kind == ensemble::Kind::sgd ? 1 : 4, .batch = 4, .seed = 5};
  m.algorithm.rate.eta = eta;
  m.algorithm.rate.fit_steps(0.2);
  m.algorithm.sync.H = 8;
  return m;
}

const ensemble::Observation kAt{.times = {0, 0.1, 0.2},
                                .polynomials = {ensemble::Polynomial::parse("x1^2 - 0.5*x1*x2", 2),
                                                ensemble::Polynomial::parse("x2", 2)},
                                .components = 2};

Noise labels_and_constant() {
  Noise noise;
  noise.sigma2 = 1;
  noise.rank = 2;
  noise.factor = {0.3, 0.1, -0.1, 0.4};
  return noise;
}

}  // namespace

TEST_CASE("an ensemble on a device is that of the CPU: schedules, tiles, statistics, lost paths") {
  observed_to = 1e-7;
  const auto problem = on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9});
  for (const auto kind : {ensemble::Kind::sgd, ensemble::Kind::local_sgd, ensemble::Kind::slow_local_sgd}) {
    auto m = method_of(kind, 0.05, 90);
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
    m.algorithm.rate.kind = discrete::LearningRate::Kind::cosine;
    m.algorithm.rate.floor = 0.2;
    m.algorithm.sync.kind = discrete::Synchronization::Kind::qsr;
    m.algorithm.sync.beta = 0.15;
    m.algorithm.sync.switch_step = 13;
    m.algorithm.rate.fit_steps(0.2);
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
  }
  // A rate at which some paths diverge.
  Noise strong = labels_and_constant();
  strong.sigma2 = 9;
  const auto wild = on_host_device(loss::Hyperbola{}, strong, {2.0, 0.5});
  auto m = method_of(ensemble::Kind::local_sgd, 0.2, 64);
  m.algorithm.rate.fit_steps(4);
  const ensemble::Observation at{.times = {0, 2, 4}, .polynomials = {}, .components = 2};
  const auto on_cpu = ensemble::run(wild, m, at, {.threads = 2});
  CHECK(on_cpu.lost > 0);
  CHECK(on_cpu.lost < on_cpu.paths);
  check_same(on_cpu, ensemble::run(wild, m, at, {.threads = 2, .device = 0}));
}

TEST_CASE("an ensemble that is observed through the host is that of the CPU, bit for bit") {
  observed_to = 0;
  for (const int d : {2, 5}) {
    Noise noise = labels_and_constant();
    noise.factor.resize(static_cast<std::size_t>(2 * d), 0.2);
    std::vector<double> start(static_cast<std::size_t>(d), 0.3);
    start[0] = 0.8;
    const auto problem = on_host_device(loss::Sphere{d}, noise, start);
    for (const auto kind : {ensemble::Kind::local_sgd, ensemble::Kind::slow_local_sgd}) {
      const auto m = method_of(kind, 0.05, 90);
      check_same(ensemble::run(problem, m, kAt, {.threads = 2}),
                 ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
    }
  }
}

TEST_CASE("where a device's memory is short tiles are smaller, which is said, and nothing else changes") {
  observed_to = 0;
  const auto problem = on_host_device(loss::Sphere{2}, labels_and_constant(), {0.5, 0.9});
  const auto m = method_of(ensemble::Kind::local_sgd, 0.05, 300);
  std::string said;
  ensemble::Control control{.threads = 2, .device = 0};
  control.notice = [&](const std::string& text) { said += text; };
  gpu::HostDevice::memory = 2 * 80 * sizeof(double);
  const auto result = ensemble::run(problem, m, kAt, control);
  CHECK(said.find("memory for 80 paths at a time, not 304") != std::string::npos);
  gpu::HostDevice::memory = 8;
  CHECK_THROWS_AS(ensemble::run(problem, m, kAt, control), DeviceUnusable);
  gpu::HostDevice::memory = ~std::size_t(0);
  check_same(ensemble::run(problem, m, kAt, {.threads = 2}), result);
}

TEST_CASE("an interrupted run on a device goes on, there or on the CPU, with the same bits") {
  observed_to = 0;
  const auto problem = on_host_device(loss::Sphere{2}, labels_and_constant(), {0.5, 0.9});
  const auto m = method_of(ensemble::Kind::local_sgd, 0.05, 100);
  gpu::HostDevice::memory = 2 * 32 * sizeof(double);  // four tiles
  for (const int next : {0, -1}) {
    std::atomic<bool> stop{false};
    ensemble::Control control{.threads = 1, .interrupted = &stop, .device = 0};
    control.progress = [&](double fraction) { stop = fraction > 0.5; };
    ensemble::MethodState state;
    CHECK(!ensemble::resume(problem, m, kAt, control, state));
    CHECK(state.merged > 0);
    CHECK(state.merged < 7);
    CHECK(ensemble::resume(problem, m, kAt, {.threads = 2, .device = next}, state));
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), state.total);
  }
  gpu::HostDevice::memory = ~std::size_t(0);
}
