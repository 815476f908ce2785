// A loss of one's own: its slow-SDE terms, and its slow SDE beside discrete Local SGD.
#include <fmt/format.h>

#include <cstdlib>

#include "my_loss.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/model/make_model.hpp"

#if defined(MY_LOSS_ON_GPU)
std::shared_ptr<const sde::DeviceModel> my_loss_on_gpu();
#endif

// The number of a GPU (0 for the first) as an argument: the paths advance there.
int main(int argc, char** argv) {
  using namespace sde;
  const auto model = make_model(MyLoss{});
#if defined(MY_LOSS_ON_GPU)
  model->device = my_loss_on_gpu;
#endif
  Noise noise;
  noise.sigma2 = 1;  // label noise of variance 1 ...
  noise.label_law = Law::two_point;
  noise.rank = 2;  // ... and Gaussian noise of covariance 0.01 I
  noise.factor = {0.1, 0, 0, 0.1};
  const auto problem = ensemble::make_problem(model, noise, {1, 0.4});

  const auto terms = problem.terms();
  terms->compute(problem.start_on_gamma.data());
  const slow::Parameters p{.batch = 8, .workers = 8, .alpha = 1};
  fmt::print("at ({:.4f}, {:.4f}): tr Hess {:.4f}, drift-I {:.4f}, drift-II {:.4f} along x\n",
             problem.start_on_gamma[0], problem.start_on_gamma[1], terms->trace_hessian(),
             terms->contraction(slow::Term::drift_1, p)[0], terms->contraction(slow::Term::drift_2, p)[0]);

  ensemble::Method local;
  local.paths = 256;
  local.dt = 0.002;
  local.algorithm = {.workers = 8, .batch = 8, .seed = 1};
  local.algorithm.rate.eta = 0.01;
  local.algorithm.rate.fit_steps(1.0);
  local.algorithm.sync.H = 100;
  ensemble::Method slow = local;
  slow.dynamics = &ensemble::slow_sde();

  const ensemble::Observation at{.times = {0, 0.5, 1.0}, .polynomials = {}, .components = 2};
  for (const auto& [name, method] : {std::pair{"Local SGD", local}, {"slow SDE ", slow}}) {
    const auto result =
        ensemble::run(problem, method, at, {.threads = 2, .device = argc > 1 ? std::atoi(argv[1]) : -1});
    for (std::size_t t = 0; t < result.slow_time.size(); ++t) {
      const auto& sharpness = result.at(t, "trace_hessian");
      fmt::print("{}  tr Hess {:.4f} +- {:.4f}\n", name, sharpness.mean, 1.96 * sharpness.standard_error());
    }
  }
}
