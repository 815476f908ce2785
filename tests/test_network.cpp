// Perceptrons: passes by hand against automatic differentiation of the loss written sample by sample, curvature without
// the Hessian against the dense one, and the algorithms' steps against loops written out.
#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>

#include "sde/core/error.hpp"
#include "sde/loss/hessian.hpp"
#include "written_out_network.hpp"

using namespace sde;
using namespace sde::test;
using network::Activation;
using network::Objective;

namespace {

/// One worker's steps of a path, by automatic differentiation of the losses of its batches.
void steps_written_out(const network::Perceptron& loss, const Noise& noise, const random::StreamKey& key, int batch,
                       double eta, std::int64_t from, std::int64_t count, std::vector<double>& theta) {
  WorkerBatches batches(loss, noise, key, batch, from);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto g = batches.gradient(theta);
    for (std::size_t j = 0; j < theta.size(); ++j) theta[j] -= eta * g[j];
  }
}

}  // namespace

TEST_CASE("value, gradient and Hessian-vector products against automatic differentiation") {
  for_each_kind([](Activation activation, Objective objective) {
    CAPTURE(network::name_of(activation));
    CAPTURE(network::name_of(objective));
    const auto network = small_network(activation, objective, 0.03);
    const auto model = make_network(network);
    const auto loss = loss_of(network);
    const auto theta = point_of(network);
    const int d = model->dim();
    REQUIRE(d == 3 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3);
    CHECK(model->value(theta.data()) == doctest::Approx(loss.value(theta.data())).epsilon(1e-13));
    std::vector<double> g(theta.size());
    model->gradient(theta.data(), g.data());
    CHECK(largest_difference(g, gradient_of(loss, theta)) < 1e-13);
    std::vector<double> H(theta.size() * theta.size()), automatic(H.size());
    model->hessian(theta.data(), H.data());
    loss::hessian(loss, theta.data(), automatic.data());
    CHECK(largest_difference(H, automatic) < 1e-13);
    CHECK(largest_difference(H, std::vector<double>(H.size(), 0.0)) > 0.1);
  });
}

TEST_CASE("under redrawn labels the loss is the mean over them") {
  for (const auto objective : {Objective::cross_entropy, Objective::squared}) {
    const auto network = small_network(Activation::gelu, objective);
    const auto loss = loss_of(network);
    const auto theta = point_of(network);
    const double p = 0.3;
    network::WholeSum whole(network.net, *network.training, p, network.training->n);
    double expected = 0;
    std::vector<double> gradient(theta.size(), 0.0), g(theta.size());
    for (int shift = 0; shift < 3; ++shift) {
      std::vector<int> all, classes;
      for (int i = 0; i < loss.sample_count(); ++i) all.push_back(i), classes.push_back((loss.label(i) + shift) % 3);
      const auto shifted = with_samples(loss, all, classes);
      const double weight = shift == 0 ? 1 - p : p / 2;
      expected += weight * shifted.value(theta.data());
      const auto part = gradient_of(shifted, theta);
      for (std::size_t k = 0; k < g.size(); ++k) gradient[k] += weight * part[k];
    }
    CHECK(whole.find(theta.data()).objective == doctest::Approx(expected).epsilon(1e-13));
    whole.gradient(theta.data(), g.data());
    CHECK(largest_difference(g, gradient) < 1e-13);
  }
}

TEST_CASE("errors count the samples whose largest output is another class's") {
  auto network = small_network(Activation::tanh, Objective::cross_entropy);
  network.net.widths = {1, 3};  // outputs x, -x, 0 of one input
  const std::vector<double> theta{1, -1, 0, 0, 0, 0};
  const auto error = [&](const std::vector<double>& x, const std::vector<int>& y) {
    const auto samples = network::make_samples(x, 1, y, 3);
    return network::WholeSum(network.net, samples, 0, samples.n).find(theta.data()).error;
  };
  CHECK(error({1, 2, -1, -2}, {0, 0, 1, 1}) == 0);
  CHECK(error({1, 2, -1, -2}, {0, 1, 1, 2}) == 0.5);
  CHECK(error({0, 0, 0}, {0, 1, 2}) == doctest::Approx(2.0 / 3));  // of equal outputs the first counts
  CHECK(error({1, 1, 1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 2}) == doctest::Approx(1.0 / 9));
}

TEST_CASE("steps of SGD and Local SGD against loops written out") {
  struct Setting {
    Activation activation;
    Objective objective;
    Noise noise;
  };
  for (const auto& s :
       {Setting{Activation::tanh, Objective::cross_entropy, drawn(Sampling::with_replacement)},
        Setting{Activation::gelu, Objective::squared, drawn(Sampling::without_replacement, 0.4)},
        Setting{Activation::softplus, Objective::cross_entropy, drawn(Sampling::with_replacement, 0.2)}}) {
    const auto network = small_network(s.activation, s.objective, 0.01);
    const auto model = make_network(network);
    const auto loss = loss_of(network);
    const auto start = point_of(network);
    const int d = model->dim();
    double spread[kLanes];
    for (const auto precision : {Precision::full, Precision::single}) {
      const double tolerance = precision == Precision::full ? 1e-13 : 1e-5;
      const auto sgd = model->discrete_kernel(s.noise, algorithm(discrete::sgd, 1, 4), precision);
      auto state = in_lanes(start, sgd->shape().size());
      sgd->advance(state.data(), 10, 0, 20, spread);
      const auto local = model->discrete_kernel(s.noise, algorithm(discrete::local_sgd, 2, 4, 5), precision);
      auto averaged = in_lanes(start, local->shape().size());
      local->advance(averaged.data(), 10, 0, 15, spread);
      for (const int lane : {0, 3, 31}) {
        const auto path = static_cast<std::uint32_t>(10 + lane);
        auto theta = start;
        steps_written_out(loss, s.noise, {5, path, 0}, 4, 0.05, 0, 20, theta);
        CHECK(largest_difference(theta, start) > 0.05);
        CHECK(largest_difference(of_lane(state, d, lane), theta) < tolerance);
        auto mean = start;
        double distance = 0;
        for (std::int64_t k = 0; k < 15; k += 5) {
          std::vector<std::vector<double>> workers(2, mean);
          for (std::uint32_t w = 0; w < 2; ++w)
            steps_written_out(loss, s.noise, {5, path, w}, 2, 0.05, k, 5, workers[w]);
          distance = 0;
          for (std::size_t j = 0; j < mean.size(); ++j) {
            mean[j] = 0.5 * (workers[0][j] + workers[1][j]);
            distance += std::pow(0.5 * (workers[0][j] - workers[1][j]), 2);
          }
        }
        CHECK(largest_difference(of_lane(averaged, d, lane), mean) < tolerance);
        CHECK(spread[lane] == doctest::Approx(std::sqrt(distance)).epsilon(precision == Precision::full ? 1e-9 : 1e-3));
      }
    }
  }
}

TEST_CASE("without sampling a step is one of gradient descent") {
  const auto network = small_network(Activation::relu, Objective::squared, 0.02);
  const auto model = make_network(network);
  auto theta = point_of(network);
  const auto kernel = model->discrete_kernel({}, algorithm(discrete::sgd, 1, 1));
  auto state = in_lanes(theta, kernel->shape().size());
  double spread[kLanes];
  kernel->advance(state.data(), 0, 0, 7, spread);
  std::vector<double> g(theta.size());
  for (int k = 0; k < 7; ++k) {
    model->gradient(theta.data(), g.data());
    for (std::size_t j = 0; j < g.size(); ++j) theta[j] -= 0.05 * g[j];
  }
  CHECK(largest_difference(of_lane(state, model->dim(), 17), theta) < 1e-13);
}

TEST_CASE("tr Hess and lambda_max without the Hessian") {
  const auto network = small_network(Activation::tanh, Objective::cross_entropy, 0.1);
  const auto model = make_network(network);
  const auto theta = point_of(network);
  const int d = model->dim();
  Eigen::MatrixXd H(d, d);
  model->hessian(theta.data(), H.data());
  const network::Product product = [&](const double* u, double* out) { model->hessian_vector(theta.data(), u, out); };
  // Intervals hold tr H as often as they say, up to 4 standard errors of 400 draws.
  int within = 0;
  double sum = 0;
  for (std::uint32_t path = 0; path < 400; ++path) {
    const auto t = network::trace(product, d, 40, {1, path, 2});
    within += std::abs(t.value - H.trace()) < 1.96 * t.standard_error;
    sum += t.value;
  }
  CHECK(within >= 0.95 * 400 - 4 * std::sqrt(400 * 0.95 * 0.05));
  const auto all = network::trace(product, d, 16000, {2, 0, 0});
  CHECK(std::abs(sum / 400 - H.trace()) < 4 * all.standard_error);
  CHECK(std::abs(all.value - H.trace()) < 4 * all.standard_error);
  CHECK(all.standard_error < 0.02 * H.trace());
  const double largest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(H).eigenvalues()[d - 1];
  CHECK(network::largest_eigenvalue(product, d) == doctest::Approx(largest).epsilon(network::kEigenvalueTolerance));
  CHECK(std::isnan(network::largest_eigenvalue([](const double*, double* out) { out[0] = out[1] = out[2] = NAN; }, 3)));
}

TEST_CASE("a run: the same bits for any number of threads and lanes, and what is observed") {
  const auto network = small_network(Activation::tanh, Objective::cross_entropy, 0.01);
  const auto model = make_network(network);
  ensemble::Problem p = ensemble::make_problem(model, drawn(Sampling::with_replacement, 0.1), point_of(network));
  Method m;
  m.algorithm = algorithm(discrete::local_sgd, 2, 4, 3);
  m.paths = 70;
  m.algorithm.rate.steps = 12;
  const Observation o{.times = {0, 6 * 0.0025, 12 * 0.0025}, .polynomials = {}};
  const auto one = ensemble::run(p, m, o, {.threads = 1});
  const auto four = ensemble::run(p, m, o, {.threads = 4});
  auto few = m;
  few.paths = 5;
  const auto first = ensemble::run(p, few, o, {.threads = 1});
  REQUIRE(one.observables.size() == 9);
  for (std::size_t q = 0; q < one.observables.size(); ++q) {
    CAPTURE(one.observables[q]);
    CHECK(one.values[2][q].mean == four.values[2][q].mean);
    CHECK(one.samples[2][q] == four.samples[2][q]);
    for (std::size_t i = 0; i < 5; ++i) CHECK(first.samples[2][q][i] == one.samples[2][q][i]);
  }
  CHECK(first.samples[2][0].size() == 5);
  // At the start every path is at one point, whose probes alone differ.
  const auto start = point_of(network);
  CHECK(one.at(0, "test_error").mean == model->test_error(start.data()));
  CHECK(one.at(0, "loss").standard_error() == 0);
  CHECK(one.at(0, "trace_hessian").standard_error() > 0);
  CHECK(one.at(2, "disagreement").mean > 0);
  CHECK(one.at(2, "test_accuracy").mean == doctest::Approx(1 - one.at(2, "test_error").mean));
}

TEST_CASE(
    "tr diag(Hess)^q of a network without a hidden layer, squared: classes times sum_j (mean x_j^2)^q, and of biases "
    "1") {
  network::Network linear;
  linear.net = {.widths = {3, 4}, .activation = Activation::tanh, .objective = Objective::squared};
  linear.training = drawn_samples(13, 3, 4, 1);
  linear.test = drawn_samples(11, 3, 4, 2);
  Problem p = ensemble::make_problem(make_network(linear), drawn(Sampling::with_replacement), point_of(linear));
  Observation o{.times = {0, 0.01}, .polynomials = {}};
  for (const char* text : {"tr diag(Hess)^0.5", "tr diag(Hess)^1"})
    o.diagonal_powers.push_back(*ensemble::DiagonalPower::parse(text));
  double of_root = 0, of_all = 0;
  for (int j = 0; j < 3; ++j) {
    double square = 0;
    for (int i = 0; i < 13; ++i) {
      const double x = linear.training->x[linear.training->place(i) + static_cast<std::size_t>(j)];
      square += x * x / 13;
    }
    of_root += std::sqrt(square);
    of_all += square;
  }
  Method m;
  m.algorithm = algorithm(discrete::sgd, 1, 4);
  m.paths = 3;
  for (const auto precision : {Precision::full, Precision::single}) {
    m.precision = precision;
    const auto r = ensemble::run(p, m, o, kTwoThreads);
    for (const std::size_t t : {0, 1}) {
      CHECK(r.at(t, "tr diag(Hess)^0.5").mean == doctest::Approx(4 * (of_root + 1)).epsilon(1e-12));
      CHECK(r.at(t, "tr diag(Hess)^1").mean == doctest::Approx(4 * (of_all + 1)).epsilon(1e-12));
    }
  }
  p.noise.redraw = 0.1;
  CHECK_THROWS_WITH_AS(
      ensemble::check(p, o),
      "observation.diagonal_powers: the diagonal of a network's Hessian is known for the labels of the file: "
      "expected none where labels are redrawn",
      InputError);
}

TEST_CASE("what a network has not is refused by name") {
  const auto network = small_network(Activation::tanh, Objective::cross_entropy);
  const ensemble::Problem p = ensemble::make_problem(make_network(network), {}, point_of(network));
  const auto refused = [&](const ensemble::Dynamics& dynamics) {
    Method m;
    m.name = "it";
    m.dynamics = &dynamics;
    m.algorithm = algorithm(discrete::sgd, 1, 4);
    try {
      ensemble::check(p, m);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refused(ensemble::discrete_algorithm()).empty());
  CHECK(refused(ensemble::slow_sde()) ==
        "method.kind: 'slow_sgd' follows a slow SDE, which needs Phi, and a network has none here: expected the "
        "algorithm "
        "itself, sgd");
  CHECK(refused(ensemble::conventional_sde()) ==
        "'it': a network has no conventional SDE here (its noise has the covariance of n gradients): expected the "
        "algorithm "
        "itself");
  Noise additive = constant(std::vector<double>(static_cast<std::size_t>(p.model->dim()), 1.0), 1);
  ensemble::Problem other = p;
  other.noise = additive;
  CHECK_THROWS_WITH_AS(ensemble::check(other),
                       "noise: a network's noise is that of its samples and their classes: expected no factor",
                       InputError);
}
