#include <fmt/format.h>

#include <cmath>

#include "../modules/devices.hpp"
#include "../modules/kernels.hpp"
#include "../modules/models.hpp"
#include "counted.hpp"
#include "group.hpp"
#include "in_groups.hpp"
#include "network_work.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/ensemble/make_problem.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/slow/geometry_of.hpp"
#include "work.hpp"

namespace sde::bench {

using ensemble::problem_on_gamma;

namespace {

using slow::Vector;

/// Constant noise with the factor whose columns these are; bench/peers/works.py has the same numbers.
Noise columns(int d, std::vector<double> factor) {
  Noise n;
  n.rank = static_cast<int>(factor.size()) / d;
  n.factor = std::move(factor);
  return n;
}
Noise isotropic(int d, double sigma) {
  std::vector<double> factor(static_cast<std::size_t>(d * d), 0.0);
  for (int k = 0; k < d; ++k) factor[static_cast<std::size_t>(k * (d + 1))] = sigma;
  return columns(d, std::move(factor));
}
Noise label() {
  Noise n;
  n.sigma2 = 1;
  n.sampling = Sampling::with_replacement;
  return n;
}

/// Arithmetic of a step of the slow SDE from the start but for its random numbers.
template <class L>
double flops_of_step(const L& loss, const ensemble::Problem& problem) {
  slow::GeometryOf<L, Counted> geometry(loss, problem.noise.view());
  std::vector<Counted> x(problem.start_on_gamma.begin(), problem.start_on_gamma.end()), move(x.size());
  bool lost = false;
  const auto draw = [] { return Counted(0.5); };
  const long before = counted_flops;
  const slow::Parameters parameters{.batch = 8, .workers = 8, .alpha = 0.4};
  slow::step(geometry, x.data(), move.data(), parameters, 0.005, draw, true, lost);
  return static_cast<double>(counted_flops - before);
}

std::string suffix(Precision p) { return p == Precision::single ? ", float" : ""; }

Work slow_work(const std::string& name, ensemble::Problem problem, slow::Integrator integrator, Precision precision,
               double flops, Observable observable, int device, double sample_paths = 65536,
               const slow::Parameters& parameters = {.batch = 8, .workers = 8, .alpha = 0.4},
               const std::optional<slow::MovingMetric>& metric = {}) {
  const bool weak = integrator == slow::Integrator::weak_euler;
  Work w;
  w.name = fmt::format("slow SDE, {}{}{}", name, weak ? ", weak" : "", suffix(precision));
  w.precision = precision;
  w.flops = flops;
  w.unit = "path-steps";
  (weak ? w.signs : w.normals) = problem.noise.columns();
  constexpr std::int64_t kSteps = 64;
  slow::Steps steps;
  steps.parameters = parameters;
  steps.dt = 0.005;
  steps.count = kSteps;
  steps.integrator = integrator;
  const auto make = [shared = std::make_shared<const ensemble::Problem>(std::move(problem)), steps, precision, device,
                     metric](int thread) {
    const auto seed = static_cast<std::uint64_t>(thread) + 1;
    return metric ? metric_group(*shared, *metric, steps, seed, precision, device)
                  : slow_group(*shared, steps, seed, precision, device);
  };
  const auto go = in_groups(make, kSteps, observable, device);
  set_runs(w, go, sample_paths * kSteps);
  w.observable = observable.name;
  return w;
}

/// An algorithm under the name of its works.
struct Named {
  std::string name = "Local SGD (K = 8, H = 20)";
  const discrete::AlgorithmType* type = &discrete::local_sgd;
  int workers = 8;
  std::vector<double> parameters{};

  discrete::Algorithm algorithm() const {
    discrete::Algorithm a;
    a.type = type;
    a.workers = a.batch = workers;
    a.rate.eta = 0.01;
    a.sync.H = 20;
    a.parameters = parameters;
    return a;
  }
};
/// Momentum, an outer step, an adaptive method on d coordinates (v(0) = 1).
std::vector<Named> other_algorithms(int d) {
  std::vector<double> adam{0.9, 1, -1, 1e-8, 0.5, 0};
  adam.insert(adam.end(), static_cast<std::size_t>(d), 1.0);
  return {{"heavy ball", &discrete::heavy_ball, 1, {0.9, 0, 1, 1, 0, 0}},
          {"DiLoCo (K = 8, H = 20)", &discrete::diloco, 8, {0, 0, 1, 0.7, 0.6, 1}},
          {"Adam", &discrete::adam, 1, adam}};
}

Work discrete_work(const std::string& name, ensemble::Problem problem, Precision precision, Observable observable,
                   int device, const Named& of = {}) {
  Work w;
  w.name = of.name + ", " + name + suffix(precision);
  w.precision = precision;
  w.unit = "worker-steps";
  w.normals = problem.noise.columns() + (problem.model->residual_count() == 1 && problem.noise.sigma2 > 0 ? 1 : 0);
  constexpr std::int64_t kSteps = 100;
  const auto a = of.algorithm();
  const auto make = [shared = std::make_shared<const ensemble::Problem>(std::move(problem)), a, precision,
                     device](int thread) {
    auto own = a;
    own.seed = static_cast<std::uint64_t>(thread) + 1;
    return discrete_group(*shared, own, kSteps, precision, device);
  };
  const auto go = in_groups(make, static_cast<double>(kSteps * a.workers), observable, device);
  set_runs(w, go, 8192.0 * 800);
  w.observable = observable.name;
  return w;
}

/// Phi of points about the start: point i has start[k] + 0.02 sin(i + k). The sample is of the first `sample_points`.
Work flow_work(const std::string& name, ensemble::Problem problem, double sample_points) {
  Work w;
  w.name = "flow map, " + name;
  w.unit = "points";
  const auto observable = coordinate(0);
  const auto go = [problem, observable](int, double units, stats::Moments* ends) {
    manifold::FlowMap flow(*problem.model, manifold::kObservationFlow);
    const auto points = static_cast<long>(std::ceil(units));
    for (long i = 0; i < points; ++i) {
      Vector x = problem.start_on_gamma;
      for (Eigen::Index k = 0; k < x.size(); ++k) x[k] += 0.02 * std::sin(static_cast<double>(i + k));
      flow(x.data());
      if (ends) ends->add(observable.of(x.data()));
    }
    return static_cast<double>(points);
  };
  set_runs(w, go, sample_points);
  w.observable = observable.name;
  return w;
}

/// The sample is of the drift's first component.
Work terms_work(const std::string& name, ensemble::Problem problem) {
  Work w;
  w.name = "slow-SDE terms, " + name;
  w.unit = "points";
  const auto go = [problem](int, double units, stats::Moments* ends) {
    const auto terms = problem.terms();
    const auto points = static_cast<long>(std::ceil(units));
    for (long i = 0; i < points; ++i) {
      terms->compute(problem.start_on_gamma.data());
      const auto drift = terms->contraction(slow::Term::drift, {.batch = 8, .workers = 8, .alpha = 0.4});
      if (ends) ends->add(drift[0]);
    }
    return static_cast<double>(points);
  };
  set_runs(w, go, 2);
  w.observable = "drift[0]";
  return w;
}

/// The data and the start of a network, for other programs.
template <class Network>
void set_arrays(Work& w, const Network& network, const ensemble::Problem& problem) {
  const auto& start = problem.start_on_gamma;
  w.arrays = {{"X", network.X}, {"y", network.y}, {"start", {start.begin(), start.end()}}};
}

}  // namespace

std::vector<Work> works(int device) {
  using slow::Integrator;
  const auto valley = problem_on_gamma(model_of(loss::Valley{}), columns(2, {0.5, 0, 0, 1.4}), {0.8, 0});
  const auto hyperbola = problem_on_gamma(model_of(loss::Hyperbola{}), label(), {2, 0.5});
  auto labels_and_columns = columns(2, {0.5, 1.0, -0.1, 0.6});
  const auto ring = problem_on_gamma(model_of(loss::Ring{0.5}), labels_and_columns, {0, 1});
  labels_and_columns.sigma2 = 1;
  labels_and_columns.sampling = Sampling::with_replacement;
  const auto noisy_hyperbola = problem_on_gamma(model_of(loss::Hyperbola{}), labels_and_columns, {2, 0.5});
  std::vector<double> pole(10, 0.0);
  pole[0] = 1;
  const auto sphere = problem_on_gamma(model_of(loss::Sphere{10}), isotropic(10, 0.5), pole);
  const loss::DiagonalNetwork diagonal(20, 20, 3, 5);
  const auto network = problem_on_gamma(model_of(diagonal), label(), std::vector<double>(40, 0.6));
  const loss::TanhNetwork student(16, 4, 10, 2, 5);
  const auto tanh_network = problem_on_gamma(model_of(student), label(), student.interpolating_start(0.5, 3));
  const std::string diagonal_name = "diagonal network d = 40, n = 20";

  auto all = device < 0 ? kernels().linear_works() : cuda().linear_works(device);
  for (const auto precision : {Precision::full, Precision::single}) {
    for (const auto integrator : {Integrator::euler_maruyama, Integrator::weak_euler}) {
      const auto slow = [&](const std::string& name, const ensemble::Problem& problem, double flops, int observed) {
        all.push_back(slow_work(name, problem, integrator, precision, flops, coordinate(observed), device));
      };
      slow("valley", valley, flops_of_step(loss::Valley{}, valley), 0);
      slow("hyperbola, constant noise", noisy_hyperbola, flops_of_step(loss::Hyperbola{}, noisy_hyperbola), 0);
      slow("ring", ring, flops_of_step(loss::Ring{0.5}, ring), 1);
      slow("sphere d = 10", sphere, flops_of_step(loss::Sphere{10}, sphere), 0);
    }
    // Without diffusion every path is the same: a few are a sample.
    all.push_back(slow_work(diagonal_name, network, Integrator::euler_maruyama, precision,
                            flops_of_step(diagonal, network), trace_of_hessian(network.model), device, kLanes));
    set_arrays(all.back(), diagonal, network);
    all.push_back(discrete_work("hyperbola", hyperbola, precision, coordinate(0), device));
    all.push_back(discrete_work("ring", ring, precision, coordinate(1), device));
    all.push_back(discrete_work(diagonal_name, network, precision, loss_value(network.model), device));
    set_arrays(all.back(), diagonal, network);
    all.push_back(
        discrete_work("tanh network d = 50, n = 16", tanh_network, precision, loss_value(tanh_network.model), device));
    set_arrays(all.back(), student, tanh_network);
  }
  for (const auto& of : other_algorithms(2))
    all.push_back(discrete_work("ring", ring, Precision::full, coordinate(1), device, of));
  for (const auto& of : other_algorithms(diagonal.dim()))
    all.push_back(discrete_work(diagonal_name, network, Precision::full, loss_value(network.model), device, of));
  const auto diloco = other_algorithms(2)[1].algorithm();
  const auto weights = diloco.type->slow_sde(diloco, 0);
  all.push_back(slow_work("ring, weights of DiLoCo", ring, Integrator::euler_maruyama, Precision::full, 0,
                          coordinate(1), device, 65536, weights));
  all.push_back(slow_work(diagonal_name + ", weights of DiLoCo", network, Integrator::euler_maruyama, Precision::full,
                          0, trace_of_hessian(network.model), device, kLanes, weights));
  // Of local adaptive methods (rmsprop), whose weights are Local SGD's.
  const auto metric_of = [](int d) { return slow::MovingMetric{1, 1e-8, 0.5, 1, Vector::Ones(d)}; };
  for (const auto precision : {Precision::full, Precision::single}) {
    const slow::Parameters local{.batch = 8, .workers = 8, .alpha = 0.4};
    all.push_back(slow_work("ring, in a metric", ring, Integrator::euler_maruyama, precision, 0, coordinate(1), device,
                            65536, local, metric_of(2)));
    all.push_back(slow_work(diagonal_name + ", in a metric", network, Integrator::euler_maruyama, precision, 0,
                            trace_of_hessian(network.model), device, kLanes, local, metric_of(diagonal.dim())));
  }
  if (device >= 0) return all;
  for (const auto precision : {Precision::full, Precision::single}) all.push_back(network_work(precision));
  all.push_back(flow_work("ring", ring, 4096));
  all.push_back(flow_work(diagonal_name, network, 32));
  set_arrays(all.back(), diagonal, network);
  all.push_back(terms_work(diagonal_name, network));
  set_arrays(all.back(), diagonal, network);
  return all;
}

}  // namespace sde::bench
