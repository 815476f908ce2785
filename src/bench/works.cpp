#include <fmt/format.h>

#include <cmath>

#include "../experiment/kernels.hpp"
#include "../experiment/losses.hpp"
#include "counted.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/ensemble/settled.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/slow/hypersurface_geometry.hpp"
#include "start.hpp"
#include "work.hpp"

namespace sde::bench {

using ensemble::settled_problem;

namespace {

using slow::Vector;

Noise constant(int d, double scale) {
  Noise n;
  n.rank = d;
  n.factor = loss::normal_data(8, 1, d * d);
  for (double& a : n.factor) a *= scale;
  return n;
}
Noise label() {
  Noise n;
  n.sigma2 = 1;
  n.sampling = Sampling::with_replacement;
  return n;
}
Noise labels_and_constant(int d) {
  Noise n = constant(d, 0.3);
  n.sigma2 = 1;
  n.sampling = Sampling::with_replacement;
  return n;
}

/// Arithmetic of a step of the slow SDE of one residual but for its random numbers.
template <class L>
double flops_of_step(const L& loss, const ensemble::Problem& problem) {
  slow::HypersurfaceGeometry<L, Counted> geometry(loss, problem.noise.view());
  std::vector<Counted> x(problem.start_on_gamma.begin(), problem.start_on_gamma.end()), move(x.size());
  bool lost = false;
  const auto draw = [] { return Counted(0.5); };
  const long before = counted_flops;
  slow::step(geometry, x.data(), move.data(), {.batch = 8, .workers = 8, .alpha = 0.4}, 0.005, draw, true, lost);
  return static_cast<double>(counted_flops - before);
}

std::string suffix(Precision p) { return p == Precision::single ? ", float" : ""; }

/// The sample is of the `observed` coordinate.
Work slow_work(const std::string& name, ensemble::Problem problem, slow::Integrator integrator, Precision precision,
               double flops, int observed = 0) {
  const bool weak = integrator == slow::Integrator::weak_euler;
  Work w;
  w.name = fmt::format("slow SDE, {}{}{}", name, weak ? ", weak" : "", suffix(precision));
  w.precision = precision;
  w.flops = flops;
  w.unit = "path-steps";
  (weak ? w.signs : w.normals) = problem.noise.columns();
  const auto go = [problem, integrator, precision, observed](int thread, double units, stats::Moments* ends) {
    const auto kernel = problem.model->residual_slow_kernel(problem.noise, precision);
    constexpr std::int64_t kSteps = 64;
    slow::Steps steps;
    steps.parameters = {.batch = 8, .workers = 8, .alpha = 0.4};
    steps.dt = 0.005;
    steps.count = kSteps;
    steps.integrator = integrator;
    const auto groups = static_cast<std::uint32_t>(std::ceil(units / (kSteps * kLanes)));
    for (std::uint32_t g = 0; g < groups; ++g) {
      auto x = lanes_of_point(problem.start_on_gamma);
      kernel->advance(x.data(), {1, g * kLanes, static_cast<std::uint32_t>(thread)}, steps);
      if (ends)
        for (int l = 0; l < kLanes; ++l) ends->add(x[static_cast<std::size_t>(observed * kLanes + l)]);
    }
    return static_cast<double>(groups) * kLanes * kSteps;
  };
  set_runs(w, go, 65536.0 * 64);
  return w;
}

Work discrete_work(const std::string& name, ensemble::Problem problem, Precision precision, int observed = 0) {
  Work w;
  w.name = "Local SGD (K = 8, H = 20), " + name + suffix(precision);
  w.precision = precision;
  w.unit = "worker-steps";
  w.normals = problem.noise.columns() + (problem.model->residual_count() == 1 && problem.noise.sigma2 > 0 ? 1 : 0);
  const auto go = [problem, precision, observed](int thread, double units, stats::Moments* ends) {
    discrete::LocalSgd a;
    a.workers = 8;
    a.batch = 8;
    a.rate.eta = 0.01;
    a.sync.H = 20;
    a.seed = static_cast<std::uint64_t>(thread) + 1;
    const auto kernel = problem.model->discrete_kernel(problem.noise, a, precision);
    constexpr std::int64_t kSteps = 100;
    const double in_group = static_cast<double>(kLanes * kSteps * a.workers);
    const auto groups = static_cast<std::uint32_t>(std::ceil(units / in_group));
    double spread[kLanes];
    for (std::uint32_t g = 0; g < groups; ++g) {
      auto x = lanes_of_point(problem.start_on_gamma);
      kernel->advance(x.data(), g * kLanes, 0, kSteps, spread);
      if (ends)
        for (int l = 0; l < kLanes; ++l) ends->add(x[static_cast<std::size_t>(observed * kLanes + l)]);
    }
    return groups * in_group;
  };
  set_runs(w, go, 8192.0 * 800);
  return w;
}

Work flow_work(const std::string& name, ensemble::Problem problem) {
  Work w;
  w.name = "flow map, " + name;
  w.unit = "points";
  w.run = [problem](int, double units) {
    manifold::FlowMap flow(*problem.model, manifold::kObservationFlow);
    const auto points = static_cast<long>(std::ceil(units));
    for (long i = 0; i < points; ++i) {
      Vector x = problem.start_on_gamma;
      for (Eigen::Index k = 0; k < x.size(); ++k) x[k] += 0.02 * std::sin(static_cast<double>(i + k));
      flow(x.data());
    }
    return static_cast<double>(points);
  };
  return w;
}

Work terms_work(const std::string& name, ensemble::Problem problem) {
  Work w;
  w.name = "slow-SDE terms, " + name;
  w.unit = "points";
  w.run = [problem](int, double units) {
    const auto terms = problem.terms();
    const auto points = static_cast<long>(std::ceil(units));
    for (long i = 0; i < points; ++i) {
      terms->compute(problem.start_on_gamma.data());
      terms->contraction(slow::Term::drift, {.batch = 8, .workers = 8, .alpha = 0.4});
    }
    return static_cast<double>(points);
  };
  return w;
}

}  // namespace

std::vector<Work> works() {
  using slow::Integrator;
  const auto valley = settled_problem(model_of(loss::Valley{}), constant(2, 0.5), {0.8, 0});
  const auto hyperbola = settled_problem(model_of(loss::Hyperbola{}), label(), {2, 0.5});
  const auto noisy_hyperbola = settled_problem(model_of(loss::Hyperbola{}), labels_and_constant(2), {2, 0.5});
  Noise correlated;  // as in bench/peers/works.py
  correlated.rank = 2;
  correlated.factor = {0.5, 1.0, -0.1, 0.6};
  const auto ring = settled_problem(model_of(loss::Ring{0.5}), correlated, {0, 1});
  std::vector<double> pole(10, 0.0);
  pole[0] = 1;
  const auto sphere = settled_problem(model_of(loss::Sphere{10}), constant(10, 0.3), pole);
  const auto network =
      settled_problem(model_of(loss::DiagonalNetwork(20, 20, 3, 5)), label(), std::vector<double>(40, 0.6));
  const loss::TanhNetwork student(16, 4, 10, 2, 5);
  const auto tanh_network = settled_problem(model_of(student), label(), student.interpolating_start(0.5, 3));

  auto all = kernels().linear_works();
  for (const auto precision : {Precision::full, Precision::single}) {
    for (const auto integrator : {Integrator::euler_maruyama, Integrator::weak_euler}) {
      all.push_back(slow_work("valley", valley, integrator, precision, flops_of_step(loss::Valley{}, valley)));
      all.push_back(slow_work("hyperbola, constant noise", noisy_hyperbola, integrator, precision,
                              flops_of_step(loss::Hyperbola{}, noisy_hyperbola)));
      all.push_back(slow_work("ring", ring, integrator, precision, flops_of_step(loss::Ring{0.5}, ring), 1));
      all.push_back(slow_work("sphere d = 10", sphere, integrator, precision, flops_of_step(loss::Sphere{10}, sphere)));
    }
    all.push_back(slow_work("diagonal network d = 40, n = 20", network, Integrator::euler_maruyama, precision, 0));
    all.push_back(discrete_work("hyperbola", hyperbola, precision));
    all.push_back(discrete_work("ring", ring, precision, 1));
    all.push_back(discrete_work("diagonal network d = 40, n = 20", network, precision));
    all.push_back(discrete_work("tanh network d = 50, n = 16", tanh_network, precision));
  }
  all.push_back(flow_work("ring", ring));
  all.push_back(flow_work("diagonal network d = 40, n = 20", network));
  all.push_back(terms_work("diagonal network d = 40, n = 20", network));
  return all;
}

}  // namespace sde::bench
