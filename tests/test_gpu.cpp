// The GPU backend on a GPU: cuRAND's words, paths by their bits, ensembles, the weak order of its kernels. Skipped, and
// counted so, where there is none.
#include "../src/modules/devices.hpp"
#include "device_checks.hpp"
#include "problems.hpp"
#include "sde/stats/fit.hpp"

using namespace sde;
using namespace sde::test;

namespace {

bool no_gpu() {
  if (built_for_cuda() && !cuda().devices().all.empty()) return false;
  std::puts("skipped: no CUDA device");  // as tests/CMakeLists.txt knows it
  return true;
}

const auto gpu_of = [](const auto& l) { return model_of(l)->device(); };

}  // namespace

TEST_CASE("cuRAND's Philox on the device gives the known answers") {
  if (no_gpu()) return;
  // Counters and keys of Random123's kat_vectors: (0, 0), (all ones), (digits of pi).
  struct Known {
    random::StreamKey key;
    std::uint32_t purpose;
    std::uint64_t block;
    std::array<std::uint32_t, 4> answer;
  };
  const Known table[] = {
      {{0, 0, 0}, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0ull, ~0u, ~0u}, 0xffff, 0xffffffffffffull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x299f31d0a4093822ull, 0x03707344, 0x13198a2e},
       0x85a3,
       0x08d3243f6a88ull,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const auto& k : table)
    CHECK(cuda().words(0, k.key, static_cast<random::Purpose>(k.purpose), k.block) == k.answer);
}

TEST_CASE("the GPU's discrete algorithms give the CPU's bits, for every loss and noise") {
  if (no_gpu()) return;
  check_discrete_of_every_loss(gpu_of);
  check_single_sources(gpu_of);
  check_drawn_residuals(gpu_of);
}

TEST_CASE("the GPU's slow SDEs give the CPU's bits, for every loss") {
  if (no_gpu()) return;
  check_slow_of_every_loss(gpu_of);
}

TEST_CASE("the GPU's warps and blocks give the CPU's bits") {
  if (no_gpu()) return;
  check_large(gpu_of);
}

TEST_CASE("an ensemble on the GPU is that of the CPU: schedules, statistics, and the same bits a second time") {
  if (no_gpu()) return;
  const auto problem = problem_of(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9});
  for (const auto kind : {test::Kind::sgd, test::Kind::local_sgd, test::Kind::slow_local_sgd}) {
    auto m = method_of(kind, 0.05, 5000);
    m.algorithm.rate.kind = discrete::LearningRate::Kind::cosine;
    m.algorithm.rate.floor = 0.2;
    m.algorithm.rate.fit_steps(0.2);
    const auto on_gpu = ensemble::run(problem, m, kAt, {.threads = 2, .device = 0});
    observed_to = 1e-7;
    check_same(ensemble::run(problem, m, kAt, {.threads = 2}), on_gpu);
    observed_to = 0;
    check_same(on_gpu, ensemble::run(problem, m, kAt, {.threads = 1, .device = 0}));
  }
}

TEST_CASE("algorithm and slow SDEs on common noise: the GPU's are the CPU's") {
  if (no_gpu()) return;
  observed_to = 1e-7;
  for (const int workers : {1, 4})
    for (const double burn_in : {0.0, 0.1}) {
      check_paired(problem_of(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9}), workers, burn_in);
      check_paired(problem_of(loss::Hyperbola{}, labels_and_constant(), {2, 0.5}), workers, burn_in);
    }
  check_other_pairs(problem_of(loss::Ring{0.5}, labels_and_constant(), {0.5, 0.9}));
}

TEST_CASE("what the GPU's teams observe is what the CPU does, for every network") {
  if (no_gpu()) return;
  observed_to = 1e-7;
  check_observed_by_teams(
      [](const auto& l, const Noise& noise, const std::vector<double>& start) { return problem_of(l, noise, start); });
}

TEST_CASE("weak order 1 of the GPU's slow SDE") {
  if (no_gpu()) return;
  Noise noise;
  noise.rank = 2;
  noise.factor = {0.3, 0.1, -0.1, 0.3};
  noise.sigma2 = 4;  // a strong drift: an error of the time step that is far above the Monte Carlo error
  const auto problem = problem_of(loss::Valley{}, noise, {2, 0});
  auto m = method_of(test::Kind::slow_local_sgd, 0.05, 1 << 27);
  const auto mean = [&](double dt) {
    m.dt = dt;
    m.algorithm.seed = static_cast<std::uint64_t>(1 / dt);  // independent estimates
    const auto r =
        ensemble::run(problem, m, {.times = {0, 1.6}, .polynomials = {Polynomial::parse("x1", 2)}, .components = 0},
                      {.threads = 2, .device = 0});
    return r.values.back().back();
  };
  constexpr double kFine = 0.01;
  const auto fine = mean(kFine);
  std::vector<double> step, error, se;
  for (const double dt : {0.1, 0.08, 0.05, 0.04}) {
    const auto coarse = mean(dt);
    step.push_back(dt - kFine);  // the error of first order that is left in the difference
    error.push_back(std::abs(coarse.mean - fine.mean));
    se.push_back(std::hypot(coarse.standard_error(), fine.standard_error()));
  }
  const auto line = stats::fit_order(step, error, se);
  const double half_width = 1.96 * line.slope_error;
  MESSAGE("weak order " << line.slope << " +- " << half_width << " (95%)");
  CHECK(half_width < 0.05);
  CHECK(std::abs(line.slope - 1) < 0.1);
}
