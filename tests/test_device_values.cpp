// Losses that are no square on a device: the kernels' bodies, run on the CPU in its place, against the CPU's lanes.
#include "on_host_device.hpp"
#include "value_losses.hpp"

using namespace sde;
using namespace sde::test;

namespace sde::test {
template <ValueLoss L>
std::shared_ptr<LossModel> model_of(L l) {
  return make_model(l);
}
}  // namespace sde::test

namespace {

/// By a thread in registers, with derivatives in one pass and by hand; by a lone thread; by one whose path is large.
template <class Use>
void for_each_form(Use use) {
  use("two coordinates", LogCosh{}, std::vector<double>{1.4, 0.8});
  use("by hand", LogCoshByHand{}, std::vector<double>{1.4, 0.8});
  use("of any size", AnySize<TwoNormals>{}, std::vector<double>{1.2, 0.9, 1.3});
  use("many variables of any size", AnySize<ManyVariables>{},
      std::vector<double>{1.2, 0.9, 1.1, -0.8, -1.2, 0.9, 0.8, 1.0});
}
template <class L>
Noise additive(const L& l) {
  Noise noise = all_sources(l);
  noise.sigma2 = 0;
  return noise;
}
template <class L>
void check_slow_sde(const L& l, const std::vector<double>& start) {
  auto on_gamma = start;
  manifold::FlowMap{*model_of(l)}(on_gamma.data());
  const auto device = host_device_of(l);
  for (const auto precision : {Precision::full, Precision::single})  // double either way
    for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
      check_slow(*device, l, additive(l), on_gamma, integrator, precision);
      check_metric(*device, l, additive(l), on_gamma, integrator, precision, 0.5);
    }
}
/// Calls f by lone threads, where they have room, and by teams.
template <class F>
void by_threads_and_teams(F f) {
  f();
  const auto limit = std::exchange(gpu::HostDevice::lone_limit, 0);
  f();
  gpu::HostDevice::lone_limit = limit;
}

}  // namespace

TEST_CASE("a device's slow SDEs of losses that are no square give the CPU's bits") {
  by_threads_and_teams([] {
    for_each_form([](const char* name, const auto& l, const std::vector<double>& start) {
      CAPTURE(std::string(name));
      check_slow_sde(l, start);
    });
  });
}

TEST_CASE("a device's algorithms on losses that are no square give the CPU's bits, their own gradients, too") {
  for_each_form([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto device = host_device_of(l);
    for (const auto precision : {Precision::full, Precision::single})
      for (const bool conventional : {false, true})
        check_discrete(*device, l, additive(l), start, conventional, precision);
  });
}

TEST_CASE("losses that are no square are observed where they are, as on the CPU") {
  observed_to = 1e-7;
  by_threads_and_teams([] {
    for_each_form([](const char* name, const auto& l, const std::vector<double>& start) {
      CAPTURE(std::string(name));
      const int d = l.dim();
      const auto problem = on_host_device(l, additive(l), start);
      const ensemble::Observation at{
          .times = {0, 0.1, 0.2},
          .polynomials = {ensemble::Polynomial::parse("x1^2 - 0.5*x1*x2", d), ensemble::Polynomial::parse("x2", d)},
          .components = d};
      for (const auto kind : {test::Kind::sgd, test::Kind::slow_local_sgd}) {
        const auto m = method_of(kind, 0.05, kPaths);
        const auto on_cpu = ensemble::run(problem, m, at, {.threads = 2});
        CHECK(on_cpu.lost == 0);
        check_same(on_cpu, ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
        const auto tile = m.dynamics->tile(problem, m, 0, kPaths);
        CHECK(tile->observe_here({}, {.components = d, .group = kLanes}));
      }
    });
  });
}

TEST_CASE("a path of a loss that is no square that leaves, or misses Gamma, is lost on a device as on the CPU") {
  observed_to = 1e-7;
  Noise strong;
  strong.rank = 2;
  strong.factor = {6, 0, 0, 6};
  const auto problem = on_host_device(LogCosh{}, strong, {1.4, 0.8});
  auto m = method_of(test::Kind::slow_local_sgd, 0.05, 64);
  m.dt = 0.1;
  const ensemble::Observation at{.times = {0, 0.5, 1}, .polynomials = {}, .components = 2};
  const auto on_cpu = ensemble::run(problem, m, at, {.threads = 2});
  CHECK(on_cpu.lost > 0);
  CHECK(on_cpu.lost < on_cpu.paths);
  check_same(on_cpu, ensemble::run(problem, m, at, {.threads = 2, .device = 0}));
}
