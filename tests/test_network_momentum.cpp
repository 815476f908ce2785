// Momenta and weight decay on perceptrons: heavy ball, Nesterov, local momentum and DiLoCo against loops written out as
// their papers have them, and what weight decay adds.
#include "written_out_network.hpp"

using namespace sde;
using namespace sde::test;
using network::Activation;
using network::Objective;

namespace {

using Values = std::vector<double>;
enum class Momenta { averaged, kept, reset };

/// The settings of an algorithm with momenta, in its own words.
struct Settings {
  const discrete::AlgorithmType* type;
  int workers, H;
  double beta;
  bool nesterov;
  Momenta at;
  double gamma, mu;
  bool outer_nesterov;

  /// As MomentumType keeps them.
  discrete::Algorithm algorithm(int batch) const {
    auto a = test::algorithm(*type, workers, batch, H);
    a.parameters = {beta, double(nesterov), double(static_cast<int>(at)), gamma, mu, double(outer_nesterov)};
    return a;
  }
};

const Settings kAll[] = {
    {&discrete::heavy_ball, 1, 1, 0.8, false, Momenta::kept, 1, 0, false},
    {&discrete::nesterov, 1, 1, 0.7, true, Momenta::kept, 1, 0, false},
    {&discrete::local_momentum, 2, 5, 0.8, false, Momenta::averaged, 1, 0, false},
    {&discrete::local_momentum, 2, 5, 0.6, true, Momenta::kept, 1, 0, false},
    {&discrete::local_momentum, 2, 5, 0.8, false, Momenta::reset, 1, 0, false},
    {&discrete::diloco, 2, 5, 0, false, Momenta::kept, 0.7, 0.6, true},
    {&discrete::diloco, 2, 5, 0.5, false, Momenta::kept, 0.6, 0.5, false},
};

/// Of one path: workers with v <- beta v + g, y <- y - eta v (Nesterov, as PyTorch: y - eta (g + beta v)); after H
/// steps the mean displacement D moves the anchor by gamma u (Nesterov: gamma (D + mu u)), u <- mu u + D.
Values written_out(const Settings& s, const network::Perceptron& loss, const Noise& noise, std::uint32_t path,
                   int batch, int steps, const Values& start) {
  const double eta = 0.05;
  const auto d = start.size();
  const auto K = static_cast<std::size_t>(s.workers);
  std::vector<WorkerBatches> batches;
  for (std::uint32_t w = 0; w < K; ++w)
    batches.emplace_back(loss, noise, random::StreamKey{5, path, w}, batch / s.workers);
  Values anchor = start, u(d, 0.0);
  std::vector<Values> y(K, start), v(K, Values(d, 0.0));
  for (int k = 1; k <= steps; ++k) {
    for (std::size_t w = 0; w < K; ++w) {
      const auto g = batches[w].gradient(y[w]);
      for (std::size_t j = 0; j < d; ++j) {
        v[w][j] = s.beta * v[w][j] + g[j];
        y[w][j] -= eta * (s.nesterov ? g[j] + s.beta * v[w][j] : v[w][j]);
      }
    }
    if (K == 1 || k % s.H != 0) continue;
    for (std::size_t j = 0; j < d; ++j) {
      double D = 0, mean = 0;
      for (std::size_t w = 0; w < K; ++w) D += (y[w][j] - anchor[j]) / s.workers, mean += v[w][j] / s.workers;
      u[j] = s.mu * u[j] + D;
      anchor[j] += s.gamma * (s.outer_nesterov ? D + s.mu * u[j] : u[j]);
      for (std::size_t w = 0; w < K; ++w) {
        y[w][j] = anchor[j];
        if (s.at != Momenta::kept) v[w][j] = s.at == Momenta::averaged ? mean : 0;
      }
    }
  }
  return K == 1 ? y[0] : anchor;
}

network::Network smallest(Objective objective, double weight_decay) {
  network::Network network;
  network.net = {
      .widths = {2, 2, 2}, .activation = Activation::tanh, .objective = objective, .weight_decay = weight_decay};
  network.training = drawn_samples(9, 2, 2, 1);
  network.test = drawn_samples(5, 2, 2, 2);
  return network;
}

}  // namespace

TEST_CASE("momenta on a network: the step loop against loops written out, with weight decay and label noise") {
  const double decay = 0.03;
  const int steps = 15, batch = 4;
  for (const auto objective : {Objective::cross_entropy, Objective::squared})
    for (const auto& s : kAll) {
      CAPTURE(s.type->name());
      CAPTURE(static_cast<int>(s.at));
      const auto network = smallest(objective, decay);
      const auto model = make_network(network);
      const auto loss = loss_of(network);
      const auto start = point_of(network);
      const auto noise =
          drawn(objective == Objective::squared ? Sampling::without_replacement : Sampling::with_replacement, 0.2);
      const auto a = s.algorithm(batch);
      discrete::check(a);
      for (const auto precision : {Precision::full, Precision::single}) {
        const auto kernel = model->discrete_kernel(noise, a, precision);
        auto state = in_lanes(start, kernel->shape().size());
        double spread[kLanes];
        // In pieces, as observations cut it: momenta last from one to the next.
        kernel->advance(state.data(), 10, 0, 5, spread);
        kernel->advance(state.data(), 10, 5, steps, spread);
        for (const int lane : {0, 31}) {
          const auto path = static_cast<std::uint32_t>(10 + lane);
          const auto got = of_lane(state, model->dim(), lane);
          CHECK(largest_difference(got, written_out(s, loss, noise, path, batch, steps, start)) <
                (precision == Precision::full ? 1e-13 : 1e-5));
          // What the loops are told apart by: without the momenta, and without the decay.
          auto other = s;
          other.beta = other.mu = 0;
          other.gamma = 1;
          CHECK(largest_difference(got, written_out(other, loss, noise, path, batch, steps, start)) > 1e-2);
          const auto plain = loss_of(smallest(objective, 0));
          CHECK(largest_difference(got, written_out(s, plain, noise, path, batch, steps, start)) > 1e-3);
        }
      }
    }
}

TEST_CASE("a run of an algorithm with momenta on a network is that of its kernel, for any number of threads") {
  const auto network = smallest(Objective::cross_entropy, 0.01);
  const auto loss = loss_of(network);
  const auto noise = drawn(Sampling::with_replacement, 0.1);
  const auto p = ensemble::make_problem(make_network(network), noise, point_of(network));
  for (const auto& s : kAll) {
    CAPTURE(s.type->name());
    Method m;
    m.algorithm = s.algorithm(4);
    m.algorithm.rate.steps = 10;
    m.paths = 40;
    ensemble::check(p, m);
    const double time = 10 * m.algorithm.slow_time(m.algorithm.rate.eta);
    const Observation o{.times = {0, 0.5 * time, time}, .polynomials = {}};
    const auto one = ensemble::run(p, m, o, {.threads = 1});
    const auto three = ensemble::run(p, m, o, {.threads = 3});
    const auto q = one.index_of("test_loss");
    REQUIRE(one.samples[2][q].size() == 40);
    CHECK(one.samples[2] == three.samples[2]);
    // The observation at the end is that of the loop written out.
    const network::Perceptron test{network.net, network.test};
    auto plain = test;
    plain.net.weight_decay = 0;  // test_loss is the objective alone
    for (const std::uint32_t path : {0u, 39u}) {
      const auto theta = written_out(s, loss, noise, path, 4, 10, point_of(network));
      CHECK(one.samples[2][q][path] == doctest::Approx(plain.value(theta.data())).epsilon(1e-12));
    }
  }
}

TEST_CASE("weight decay adds weight_decay times the parameters to every gradient, and the identity to the Hessian") {
  const double decay = 0.07;
  for (const auto objective : {Objective::cross_entropy, Objective::squared}) {
    const auto with = smallest(objective, decay), without = smallest(objective, 0);
    const auto a = make_network(with), b = make_network(without);
    const auto theta = point_of(with);
    const auto d = theta.size();
    double squares = 0;
    for (const double x : theta) squares += x * x;
    CHECK(a->value(theta.data()) - b->value(theta.data()) == doctest::Approx(0.5 * decay * squares).epsilon(1e-12));
    Values g(d), h(d), u(d), v(d);
    a->gradient(theta.data(), g.data());
    b->gradient(theta.data(), h.data());
    a->hessian_vector(theta.data(), theta.data(), u.data());
    b->hessian_vector(theta.data(), theta.data(), v.data());
    for (std::size_t k = 0; k < d; ++k) {
      CHECK(g[k] - h[k] == doctest::Approx(decay * theta[k]).epsilon(1e-12));
      CHECK(u[k] - v[k] == doctest::Approx(decay * theta[k]).epsilon(1e-12));
    }
    // Of a batch: one step of SGD from the same draws.
    const auto noise = drawn(Sampling::with_replacement, 0.3);
    const auto step = algorithm(discrete::sgd, 1, 3);
    double spread[kLanes];
    auto decayed = in_lanes(theta, a->discrete_kernel(noise, step, Precision::full)->shape().size()), plain = decayed;
    a->discrete_kernel(noise, step, Precision::full)->advance(decayed.data(), 0, 0, 1, spread);
    b->discrete_kernel(noise, step, Precision::full)->advance(plain.data(), 0, 0, 1, spread);
    const auto x = of_lane(decayed, a->dim(), 7), y = of_lane(plain, a->dim(), 7);
    for (std::size_t k = 0; k < d; ++k) CHECK(std::abs(x[k] - y[k] + 0.05 * decay * theta[k]) < 1e-15);
  }
}
