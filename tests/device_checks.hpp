// A device against the CPU: paths by their bits, ensembles by their moments. For the CPU in a device's place
// (test_device.cpp) and for a GPU (test_gpu.cpp).
#pragma once

#include <doctest/doctest.h>

#include "all_losses.hpp"
#include "kinds.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/moving_geometry.hpp"
#include "sde/verify/paired.hpp"

namespace sde::test {

inline constexpr long kPaths = kLanes + 2;  // the last group of lanes is a part of one

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

/// A tile's state is that of the CPU's kernel, whose lanes are the same paths of `size` numbers, the position first.
template <class Advance>
void check_same_bits(const TileState& state, int d, int size, const std::vector<double>& start, Advance advance) {
  for (long first = 0; first < kPaths; first += kLanes) {
    std::vector<double> x(static_cast<std::size_t>(size * kLanes), 0.0);
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
void check_discrete(const DeviceModel& device, const L& l, const Noise& noise, const std::vector<double>& start,
                    bool conventional, Precision precision, bool two_point = false, int batch = 4) {
  if (conventional && !two_point) check_discrete(device, l, noise, start, true, precision, true);
  discrete::Algorithm a{
      .workers = 2, .batch = batch, .seed = 7, .increments = {conventional, conventional ? 2 : 1, two_point}};
  a.rate.eta = 0.01;
  a.rate.steps = 6;
  a.sync.H = 3;
  const auto tile = device.discrete_tile(0, kPaths, noise, a, precision);
  tile->start(0, kPaths, start.data());
  std::vector<double> rates;
  discrete::for_each_rounds(a, 0, a.rate.steps, 15, rates,
                            [&](const discrete::Rounds& rounds) { tile->advance(rounds); });
  TileState state;
  tile->read(state);
  const auto model = model_of(l);  // outlives its kernel
  const auto kernel = model->discrete_kernel(noise, a, precision);
  check_same_bits(state, l.dim(), kernel->shape().size(), start, [&](double* x, std::uint32_t path, double* spread) {
    kernel->advance(x, path, 0, a.rate.steps, spread);
  });
}

template <class L>
void check_slow(const DeviceModel& device, const L& l, const Noise& noise, const std::vector<double>& start,
                slow::Integrator integrator, Precision precision) {
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
  const auto kernel = slow::slow_kernel(*model, noise, SquaredLoss<L>, precision);
  check_same_bits(state, l.dim(), l.dim(), start, [&](double* x, std::uint32_t path, double*) {
    kernel->advance(x, {7, path, 0}, steps);
  });
}

/// The slow SDE in a metric that moves with the path, in two calls: v is kept in between.
template <class L>
void check_metric(const DeviceModel& device, const L& l, const Noise& noise, const std::vector<double>& start,
                  slow::Integrator integrator, Precision precision, double power) {
  slow::MovingMetric metric{3, 0.1, power, 2, {}};
  metric.start.resize(l.dim());
  for (int k = 0; k < l.dim(); ++k) metric.start[k] = 0.6 + 0.4 * std::cos(1.3 * k);
  const auto tile = device.metric_tile(0, kPaths, noise, metric.numbers(), 7, precision);
  tile->start(0, kPaths, start.data());
  slow::Steps steps[2];
  for (auto& s : steps) {
    s.parameters = {.batch = 8, .workers = 4, .alpha = 0.4};
    s.dt = 1e-3;
    s.count = 6;
    s.integrator = integrator;
  }
  steps[1].first_step = 6;
  for (const auto& s : steps) tile->advance(s);
  TileState state;
  tile->read(state);
  const auto model = model_of(l);
  const auto kernel = slow::metric_slow_kernel(*model, noise, metric, SquaredLoss<L>, precision);
  check_same_bits(state, l.dim(), 2 * l.dim(), start, [&](double* x, std::uint32_t path, double*) {
    for (const auto& s : steps) kernel->advance(x, {7, path, 0}, s);
  });
}

/// Every loss with every source of noise, double and float: discrete algorithms and conventional SDEs.
template <class DeviceOf>
void check_discrete_of_every_loss(DeviceOf device_of) {
  for_each_loss([&](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto device = device_of(l);
    for (const auto precision : {Precision::full, Precision::single})
      for (const bool conventional : {false, true})
        for (const auto law : {Law::gaussian, Law::two_point})
          for (const auto sampling : {Sampling::full, Sampling::with_replacement, Sampling::without_replacement}) {
            Noise noise = all_sources(l);
            noise.label_law = law;
            noise.sampling = sampling;
            check_discrete(*device, l, noise, start, conventional, precision);
          }
  });
}
/// Kernels for one source of noise alone, and for none.
template <class DeviceOf>
void check_single_sources(DeviceOf device_of) {
  const std::vector<double> start{0.5, 0.9};
  std::vector<Noise> each(4);
  each[0].sigma2 = each[1].sigma2 = 0.5;
  each[1].label_law = Law::two_point;
  each[2].rank = each[3].rank = 2;
  each[2].factor = {0.5, 0.1, -0.2, 0.3};
  each[3].factor = {0.5, 0, 0, 0.3};
  each.emplace_back();
  for (const auto& noise : each)
    for (const bool conventional : {false, true})
      for (const auto precision : {Precision::full, Precision::single}) {
        check_discrete(*device_of(loss::Ring{0.5}), loss::Ring{0.5}, noise, start, conventional, precision);
        check_discrete(*device_of(loss::Hyperbola{}), loss::Hyperbola{}, noise, start, conventional, precision);
        check_discrete(*device_of(loss::Valley{}), loss::Valley{}, noise, start, conventional, precision);
      }
}
/// Gradients of the drawn residuals alone, and steps in place, which labels without other noise allow; of few samples,
/// which the CPU's lanes look up in two or four registers, and of more.
template <class DeviceOf>
void check_drawn_residuals(DeviceOf device_of) {
  const auto check = [&](const auto& l) {
    const auto start = loss::normal_data(3, 6, l.dim());
    const auto device = device_of(l);
    for (const auto precision : {Precision::full, Precision::single})
      for (const auto sampling : {Sampling::with_replacement, Sampling::without_replacement})
        for (const bool alone : {false, true}) {
          Noise noise = all_sources(l);
          if (alone) {
            noise.rank = noise.state_rank = 0;
            noise.factor.clear();
            noise.state.clear();
          }
          noise.sampling = sampling;
          check_discrete(*device, l, noise, start, false, precision, false, alone ? 2 : 4);  // B_loc = 1 or 2
        }
  };
  for (const int n : {24, 40, 70}) check(loss::DiagonalNetwork(n, 10, 2, 5));
  check(loss::Flat(8, 10, 3));
  check(loss::DiagonalNetwork(8, 10, 2, 5));
  check(loss::TanhNetwork(8, 2, 3, 1, 5));
  check(loss::MatrixSensing(8, 3, 2, 1, 5));
}
template <class DeviceOf, class L>
void check_slow_of(DeviceOf device_of, const L& l, const std::vector<double>& start) {
  auto on_gamma = start;
  const auto model = model_of(l);
  manifold::FlowMap{*model}(on_gamma.data());
  const auto device = device_of(l);
  for (const auto precision : {Precision::full, Precision::single})
    for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
      check_slow(*device, l, all_sources(l), on_gamma, integrator, precision);
      check_metric(*device, l, all_sources(l), on_gamma, integrator, precision, l.dim() % 2 ? 0.25 : 0.5);
    }
}
template <class DeviceOf>
void check_slow_of_every_loss(DeviceOf device_of) {
  for_each_loss([&](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    check_slow_of(device_of, l, start);
  });
  // More residuals than a tile of the Gram matrix has rows and a block columns, and more than d - dim Gamma.
  check_slow_of(device_of, loss::DiagonalNetwork(11, 9, 2, 5), std::vector<double>(18, 0.6));
}
/// Dimensions of which a path is a warp's or, above 256, a block's.
template <class DeviceOf>
void check_large(DeviceOf device_of) {
  const auto check = [&](const auto& l) {
    CAPTURE(l.dim());
    auto start = loss::normal_data(3, 6, l.dim());
    for (double& x : start) x = 0.3 + 0.1 * x;
    Noise noise = all_sources(l);
    noise.sampling = Sampling::with_replacement;
    const auto device = device_of(l);
    for (const auto precision : {Precision::full, Precision::single})
      check_discrete(*device, l, noise, start, false, precision);
    check_slow_of(device_of, l, start);
  };
  check(loss::DiagonalNetwork(3, 64, 2, 5));
  check(loss::DiagonalNetwork(3, 150, 2, 5));
  check(loss::Sphere{200});
  check(loss::Sphere{300});
}

/// The same paths, observed through Phi to FlowOptions::tolerance = 1e-9: with one residual by another method, with
/// several by the same one through eigenpairs by rotations instead of tridiagonal QR, whose last digits may change the
/// choice of a step (1e-10 in the networks of these tests). Rates are differences over 0.1, and fourth moments at most
/// a few hundred. Through the host there is no difference at all.
inline double observed_to = 0;
inline bool close(double a, double b) { return std::abs(a - b) <= observed_to * (1 + std::abs(a)); }

inline void check_same(const std::vector<std::vector<stats::Moments>>& a,
                       const std::vector<std::vector<stats::Moments>>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t t = 0; t < a.size(); ++t)
    for (std::size_t q = 0; q < a[t].size(); ++q) {
      CHECK(a[t][q].n == b[t][q].n);
      CHECK(close(a[t][q].mean, b[t][q].mean));
      CHECK(close(a[t][q].m2, b[t][q].m2));
      CHECK(close(a[t][q].m4, b[t][q].m4));
    }
}
inline void check_same(const ensemble::MethodResult& a, const ensemble::MethodResult& b) {
  check_same(a.values, b.values);
  check_same(a.drift_1, b.drift_1);
  check_same(a.drift_2, b.drift_2);
  check_same(a.ito_normal, b.ito_normal);
  check_same(a.diffusion, b.diffusion);
  check_same(a.rate, b.rate);
  check_same(a.diffusion_pairs, b.diffusion_pairs);
  check_same(a.rate_sums, b.rate_sums);
  check_same(a.rate_differences, b.rate_differences);
  CHECK(a.sample_paths == b.sample_paths);
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

inline ensemble::Method method_of(test::Kind kind, double eta, long paths) {
  ensemble::Method m;
  set(m, kind);
  m.paths = paths;
  m.dt = 0.01;
  m.algorithm = {.type = kind.type, .workers = kind == test::Kind::sgd ? 1 : 4, .batch = 4, .seed = 5};
  m.algorithm.rate.eta = eta;
  m.algorithm.rate.fit_steps(0.2);
  m.algorithm.sync.H = 8;
  return m;
}

inline const ensemble::Observation kAt{
    .times = {0, 0.1, 0.2},
    .polynomials = {ensemble::Polynomial::parse("x1^2 - 0.5*x1*x2", 2), ensemble::Polynomial::parse("x2", 2)},
    .components = 2};

/// Every loss whose paths a team takes, observed where they are: all quantities, the test error among them.
template <class ProblemOf>
void check_observed_by_teams(ProblemOf problem_of) {
  for_each_loss([&](const char* name, const auto& l, const std::vector<double>& start) {
    if constexpr (dim_of<std::remove_cvref_t<decltype(l)>> == kDynamic) {
      CAPTURE(std::string(name));
      const int d = l.dim();
      const auto problem = problem_of(l, all_sources(l), start);
      const ensemble::Observation at{
          .times = {0, 0.1, 0.2},
          .polynomials = {ensemble::Polynomial::parse("x1^2 - 0.5*x1*x2", d), ensemble::Polynomial::parse("x2", d)},
          .components = d};
      for (const auto kind : {test::Kind::sgd, test::Kind::slow_local_sgd}) {
        const auto m = method_of(kind, 0.05, kPaths);
        const auto on_cpu = ensemble::run(problem, m, at, {.threads = 2});
        CHECK(on_cpu.lost == 0);
        check_same(on_cpu, ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
      }
    }
  });
}

inline Noise labels_and_constant() {
  Noise noise;
  noise.sigma2 = 1;
  noise.rank = 2;
  noise.factor = {0.3, 0.1, -0.1, 0.4};
  return noise;
}

/// Common noise: the SDEs and their martingales are the same bits; what has gone through Phi is close.
inline void check_paired(const ensemble::Problem& problem, const discrete::Algorithm& algorithm, double burn_in) {
  verify::Pairing p;
  p.algorithm = algorithm;
  p.predictions = {verify::theory(p.algorithm), verify::refined(p.algorithm)};
  p.predictions[1].time_scale = 1.1;
  p.times = {0.1, 0.2};
  p.burn_in = burn_in;
  p.dt = 0.02;
  p.functions = {verify::coordinate(1), verify::product(0, 1), verify::bounded(0), verify::sharpness()};
  p.functions.push_back({.name = "u.(x - c)", .u = Eigen::Vector2d(0.6, 0.8), .centre = Eigen::Vector2d(0.1, -0.2)});
  p.paths = 74;
  const auto cpu = verify::run_paired(problem, p, {.threads = 2}),
             device = verify::run_paired(problem, p, {.threads = 2, .device = 0});
  CHECK(cpu.paths == device.paths);
  CHECK(cpu.lost == device.lost);
  CHECK(cpu.slow_steps == device.slow_steps);
  CHECK(cpu.algorithm[1][0].n > 0);
  CHECK(cpu.drift[1][1][1].variance() > 0);
  check_same(cpu.algorithm, device.algorithm);
  check_same(cpu.increment, device.increment);
  for (std::size_t i = 0; i < p.predictions.size(); ++i) {
    check_same(cpu.gap[i], device.gap[i]);
    const double observed = burn_in > 0 ? observed_to : std::exchange(observed_to, 0);
    check_same(cpu.prediction[i], device.prediction[i]);
    check_same(cpu.step_error[i], device.step_error[i]);
    check_same(cpu.drift[i], device.drift[i]);
    observed_to = observed;
  }
}
inline void check_paired(const ensemble::Problem& problem, int workers, double burn_in) {
  discrete::Algorithm a{.workers = workers, .batch = 4, .seed = 9};
  a.rate.eta = 0.03;
  a.sync.H = 8;
  check_paired(problem, a, burn_in);
}
/// Algorithms that keep more than their position, for a loss of d dimensions.
inline std::vector<discrete::Algorithm> other_algorithms(int d) {
  std::vector<double> adaptive{0.9, 1, -1, 0.01, 0.5, 0};
  adaptive.insert(adaptive.end(), static_cast<std::size_t>(d), 0.7);
  const std::tuple<const discrete::AlgorithmType*, int, std::vector<double>> all[] = {
      {&discrete::heavy_ball, 1, {0.6, 0, 1, 1, 0, 0}},
      {&discrete::local_momentum, 3, {0.6, 1, 0, 1, 0, 0}},
      {&discrete::diloco, 3, {0, 0, 1, 0.7, 0.6, 1}},
      {&discrete::gossip, 6, {0, 1}},
      {&discrete::delayed_sgd, 1, {2}},
      {&discrete::adam, 1, adaptive},
      {&discrete::local_rmsprop, 3, adaptive},
  };
  std::vector<discrete::Algorithm> made;
  for (const auto& [type, workers, parameters] : all) {
    discrete::Algorithm a{.type = type, .workers = workers, .batch = workers, .seed = 9, .parameters = parameters};
    a.rate.eta = 0.01;
    a.rate.steps = 1000;
    a.sync.H = 5;
    made.push_back(a);
  }
  return made;
}
/// check_paired() of those of them that a device has pairs of: all that are linear in their gradients.
inline void check_other_pairs(const ensemble::Problem& problem) {
  for (const auto& a : other_algorithms(problem.model->dim())) {
    if (a.type->in_metric()) continue;
    CAPTURE(a.type->name());
    const PairedSetup setup{.algorithm = a, .predictions = {{verify::theory(a).parameters}}, .dt = 0.02};
    CHECK(problem.model->device()->paired_tile(0, kLanes, problem.noise, setup) != nullptr);
    check_paired(problem, a, 0.05);
  }
}

}  // namespace sde::test
