// Everything of the GPU backend but the launch: the kernels' bodies, tiles and ensembles, run on the CPU in a device's
// place, against the CPU's packs.
#include <atomic>

#include "fake_ranks.hpp"
#include "on_host_device.hpp"
#include "sde/ensemble/groups.hpp"

using namespace sde;
using namespace sde::test;

namespace {

/// The hyperbola as a general loss: observed through the host, because its test error is not on the device.
struct PlainHyperbola {
  struct WithoutTest;
  static constexpr int Dim = 2;
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    const T f = x[0] * x[1] - 1.0;
    return f * f * 0.5;
  }
  double test_error(const double* x) const { return x[0]; }
  template <class Upload>
  WithoutTest on_device(Upload) const;
};
struct PlainHyperbola::WithoutTest {
  static constexpr int Dim = 2;
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    return PlainHyperbola{}.value(x);
  }
};
template <class Upload>
PlainHyperbola::WithoutTest PlainHyperbola::on_device(Upload) const {
  return {};
}
/// Gamma is x = -1, y = z; from x > 0 the flow ends near x = 1.98, where the first residual stays at 0.3.
struct TwoWells {
  int dim() const { return 3; }
  int residual_count() const { return 2; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = (x[0] + 1.0) * ((x[0] - 2.0) * (x[0] - 2.0) + 0.1);
    f[1] = x[1] - x[2];
  }
};
using sde::model_of;
std::shared_ptr<LossModel> model_of(PlainHyperbola l) { return make_model(l); }
std::shared_ptr<LossModel> model_of(TwoWells l) { return make_model(l); }

Noise constant_noise() {
  Noise noise = labels_and_constant();
  noise.sigma2 = 0;
  return noise;
}

}  // namespace

TEST_CASE("a device's discrete algorithms give the CPU's bits, for every loss and noise") {
  check_discrete_of_every_loss(host_device_of);
  check_single_sources(host_device_of);
  check_drawn_residuals(host_device_of);
}
TEST_CASE("a device's slow SDEs give the CPU's bits, for every loss") { check_slow_of_every_loss(host_device_of); }
TEST_CASE("the same where no path fits a lone thread: by teams") {
  const auto limit = std::exchange(gpu::HostDevice::lone_limit, 0);
  check_discrete_of_every_loss(host_device_of);
  check_drawn_residuals(host_device_of);
  check_slow_of_every_loss(host_device_of);
  check_slow_of(host_device_of, TwoWells{}, {-0.9, 0.3, 0.2});  // without derivatives of its own
  check_large(host_device_of);
  gpu::HostDevice::lone_limit = limit;
}

TEST_CASE("an ensemble on a device is that of the CPU: schedules, tiles, statistics, lost paths") {
  observed_to = 1e-7;
  const auto problem = on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9});
  for (const auto kind : {test::Kind::sgd, test::Kind::local_sgd, test::Kind::slow_local_sgd}) {
    auto m = method_of(kind, 0.05, 90);
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}),
               ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
    m.algorithm.rate.kind = discrete::LearningRate::Kind::cosine;
    m.algorithm.rate.floor = 0.2;
    m.algorithm.sync.kind = discrete::Synchronization::Kind::qsr;
    m.algorithm.sync.beta = 0.15;
    if (kind.type != &discrete::sgd) {
      m.algorithm.type = &discrete::post_local_sgd;
      m.algorithm.sync.switch_step = 13;
    }
    m.algorithm.rate.fit_steps(0.2);
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}),
               ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
  }
  // A rate at which some paths diverge.
  Noise strong = labels_and_constant();
  strong.sigma2 = 9;
  const auto wild = on_host_device(loss::Hyperbola{}, strong, {2.0, 0.5});
  auto m = method_of(test::Kind::local_sgd, 0.2, 64);
  m.algorithm.rate.fit_steps(4);
  const ensemble::Observation at{.times = {0, 2, 4}, .polynomials = {}, .components = 2};
  const auto on_cpu = ensemble::run(wild, m, at, {.threads = 2});
  CHECK(on_cpu.lost > 0);
  CHECK(on_cpu.lost < on_cpu.paths);
  check_same(on_cpu, ensemble::run(wild, m, at, {.threads = 2, .device = 0}));
}

TEST_CASE("what the device cannot observe is observed through the host: tr diag(Hess)^q") {
  Noise labels;
  labels.sigma2 = 1;
  labels.sampling = Sampling::with_replacement;
  const auto problem = on_host_device(loss::DiagonalNetwork(3, 4, 1, 5), labels, std::vector<double>(8, 0.6));
  const auto m = method_of(test::Kind::local_sgd, 0.01, 40);
  ensemble::Observation at{
      .times = {0, 0.01, 0.02}, .polynomials = {ensemble::Polynomial::parse("x1", 8)}, .components = 2};
  at.diagonal_powers = {*ensemble::DiagonalPower::parse("tr diag(Hess)^0.5")};
  const auto on_cpu = ensemble::run(problem, m, at, {.threads = 2});
  check_same(on_cpu, ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
  CHECK(on_cpu.at(2, "tr diag(Hess)^0.5").mean > 0);
}

TEST_CASE("other algorithms and their slow SDEs on a device are the CPU's") {
  observed_to = 1e-5;  // rates are differences over 0.01
  Noise labels;
  labels.sigma2 = 1;
  labels.sampling = Sampling::with_replacement;
  const std::pair<ensemble::Problem, int> problems[] = {
      {on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9}), 2},
      {on_host_device(loss::DiagonalNetwork(3, 4, 1, 5), labels, std::vector<double>(8, 0.6)), 8}};
  for (const auto& [problem, d] : problems) {
    for (const auto& a : other_algorithms(d)) {
      CAPTURE(a.type->name());
      auto m = method_of(test::Kind::local_sgd, 0.01, 40);
      m.algorithm = a;
      ensemble::Observation at{.times = {0, 0.01, 0.02}, .polynomials = {}, .components = 2};
      if (a.type->in_metric()) at.components = 0;  // not known without v
      for (const auto precision : {Precision::full, Precision::single}) {
        m.precision = precision;
        check_same(ensemble::run(problem, m, at, {.threads = 2}),
                   ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
      }
      m.precision = Precision::full;
      m.dynamics = &ensemble::slow_sde();
      m.dt = 0.002;
      check_same(ensemble::run(problem, m, at, {.threads = 2}),
                 ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
    }
  }
}

TEST_CASE("algorithm and slow SDEs on common noise: the device's are the CPU's, in tiles of any size") {
  observed_to = 1e-7;
  Noise state = labels_and_constant();
  state.state_rank = 1;
  state.state = {0.1, 0.2, -0.1, 0.05, 0.1, 0.2};
  for (const int workers : {1, 4})
    for (const double burn_in : {0.0, 0.1}) {
      check_paired(on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9}), workers, burn_in);
      check_paired(on_host_device(loss::Valley{}, state, {0.5, 0.2}), workers, burn_in);
    }
  check_other_pairs(on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9}));
  gpu::HostDevice::memory = 10 * 40 * sizeof(double);  // martingales, the largest array, of 40 paths
  check_paired(on_host_device(loss::Hyperbola{}, labels_and_constant(), {2, 0.5}), 4, 0);
  gpu::HostDevice::memory = ~std::size_t(0);
}

TEST_CASE("what a device's teams observe is what the CPU does, for every network") {
  observed_to = 1e-8;
  check_observed_by_teams([](const auto& l, const Noise& noise, const std::vector<double>& start) {
    return on_host_device(l, noise, start);
  });
}

TEST_CASE("a path whose flow ends where residuals stay is lost on a device as on the CPU") {
  Noise labels;
  labels.sigma2 = 0.01;
  auto problem = on_host_device(TwoWells{}, labels, {-0.9, 0.3, 0.2});
  CHECK(problem.interpolating);
  problem.start << 1.5, 0.3, 0.2;  // in the other well
  const auto m = method_of(test::Kind::local_sgd, 0.01, kLanes + 2);
  const ensemble::Observation at{.times = {0, 0.1}, .polynomials = {}, .components = 2};
  const auto on_cpu = ensemble::run(problem, m, at, {.threads = 2});
  CHECK(on_cpu.lost == on_cpu.paths);
  CHECK(on_cpu.first_lost.reason.find("a minimum where residuals up to 0.2") != std::string::npos);
  check_same(on_cpu, ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
}

TEST_CASE("an ensemble that is observed through the host is that of the CPU, bit for bit") {
  observed_to = 0;
  const auto problem = on_host_device(PlainHyperbola{}, constant_noise(), {2.0, 0.6});
  const auto m = method_of(test::Kind::local_sgd, 0.05, 90);
  check_same(ensemble::run(problem, m, kAt, {.threads = 2}),
             ensemble::run(problem, m, kAt, {.threads = 2, .device = 0}));
}

TEST_CASE("where a device's memory is short tiles are smaller, which is said, and nothing else changes") {
  observed_to = 0;
  const auto problem = on_host_device(PlainHyperbola{}, constant_noise(), {2.0, 0.6});
  const auto m = method_of(test::Kind::local_sgd, 0.05, 300);
  std::string said;
  ensemble::Control control{.threads = 2, .device = 0};
  control.notice = [&](const std::string& text) { said += text; };
  gpu::HostDevice::memory = 2 * 96 * sizeof(double);
  const auto result = ensemble::run(problem, m, kAt, control);
  CHECK(said.find("memory for 96 paths at a time, not 320") != std::string::npos);
  gpu::HostDevice::memory = 8;
  CHECK_THROWS_AS(ensemble::run(problem, m, kAt, control), DeviceUnusable);
  gpu::HostDevice::memory = ~std::size_t(0);
  check_same(ensemble::run(problem, m, kAt, {.threads = 2}), result);
}

TEST_CASE("groups on a device: the same bits in one tile, in tiles of a group, in parts of one, and by several ranks") {
  observed_to = 0;
  const auto ring = on_host_device(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9});  // observed there
  const auto plain = on_host_device(PlainHyperbola{}, constant_noise(), {2.0, 0.6});     // through the host
  for (const auto* problem : {&ring, &plain}) {
    const auto m = problem == &ring ? method_of(test::Kind::local_sgd, 0.05, 2 * ensemble::kGroupPaths + 300)
                                    : method_of(test::Kind::sgd, 0.3, ensemble::kGroupPaths + 300);
    const auto whole = ensemble::run(*problem, m, kAt, {.threads = 2, .device = 0});
    CHECK(whole.samples[2][0].size() == 2048);
    if (problem == &plain) check_same(ensemble::run(*problem, m, kAt, {.threads = 2}), whole);
    // The ring's largest array holds 18 values of a path, the other's 2.
    for (const std::size_t paths : {5000, 1500}) {
      gpu::HostDevice::memory = (problem == &ring ? 18 : 2) * paths * sizeof(double);
      check_same(whole, ensemble::run(*problem, m, kAt, {.threads = 1, .device = 0}));
    }
    gpu::HostDevice::memory = ~std::size_t(0);
    for (const auto& r : on_ranks(2, [&](auto& ranks) {
           return ensemble::packed(ensemble::run(*problem, m, kAt, {.threads = 1, .device = 0, .ranks = &ranks}));
         })) {
      CHECK(r.error == "");
      CHECK(r.result == ensemble::packed(whole));
    }
  }
}

TEST_CASE("a run on a device that pauses whenever it may goes on after every tile, to the same bits") {
  observed_to = 0;
  const auto problem = on_host_device(PlainHyperbola{}, constant_noise(), {2.0, 0.6});
  const auto pauses = [&](long paths) {
    const auto m = method_of(test::Kind::local_sgd, 0.05, paths);
    ensemble::MethodState state;
    int count = 0;
    while (!ensemble::resume(problem, m, kAt, {.threads = 1, .pause = [] { return true; }, .device = 0}, state))
      ++count;
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), state.total);
    return count;
  };
  gpu::HostDevice::memory = 2 * 32 * sizeof(double);  // four tiles in one group
  CHECK(pauses(100) == 3);
  gpu::HostDevice::memory = 2 * ensemble::kGroupPaths * sizeof(double);  // a tile for each of two groups
  CHECK(pauses(2 * ensemble::kGroupPaths) == 1);
  gpu::HostDevice::memory = ~std::size_t(0);
}

TEST_CASE("an interrupted run on a device goes on, there or on the CPU, with the same bits") {
  observed_to = 0;
  const auto problem = on_host_device(PlainHyperbola{}, constant_noise(), {2.0, 0.6});
  const auto m = method_of(test::Kind::local_sgd, 0.05, 100);
  gpu::HostDevice::memory = 2 * 32 * sizeof(double);  // four tiles
  for (const int next : {0, -1}) {
    std::atomic<bool> stop{false};
    ensemble::Control control{.threads = 1, .interrupted = &stop, .device = 0};
    control.progress = [&](double fraction) { stop = fraction > 0.5; };
    ensemble::MethodState state;
    CHECK(!ensemble::resume(problem, m, kAt, control, state));
    CHECK(state.merged == 0);  // a part of the one group there is
    CHECK(state.begun.at(0).merged > 0);
    CHECK(state.begun.at(0).merged < 7);
    CHECK(ensemble::resume(problem, m, kAt, {.threads = 2, .device = next}, state));
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), state.total);
  }
  gpu::HostDevice::memory = ~std::size_t(0);
}
