// The slow SDE of algorithms that are linear in their gradients (theory.md section 9): known weights, two ways to one
// weight, simulations on quadratics, what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "sde/core/error.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/slow/linear_algorithms.hpp"
#include "sde/slow/psi.hpp"
#include "sde/slow/tabulated_weights.hpp"

using namespace sde;
using namespace sde::slow;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr double kPairs[][2] = {{1.3, 1.3}, {1.3, 0}, {0.2, 3.1}, {0, 5}, {4, 0.01}};

enum class Momentum { heavy_ball, nesterov };
using AtSynchronization = discrete::MomentumSgd::AtSynchronization;

/// The matrices of the momentum rule for a rate and a batch of one gradient.
ExchangeableAlgorithm matrices(const discrete::MomentumSgd& rule, double eta, double b, long H) {
  auto e = rule.matrices(H);
  e.eta = eta;
  e.batch = b;
  return e;
}
ExchangeableAlgorithm local_momentum(double eta, double b, int workers, long H, Momentum kind, double beta,
                                     AtSynchronization at) {
  discrete::MomentumSgd rule;
  rule.set_inner(kind == Momentum::nesterov, beta);
  rule.at = at;
  rule.workers = workers;
  return matrices(rule, eta, b, H);
}
ExchangeableAlgorithm momentum_sgd(double eta, double b, Momentum kind, double beta) {
  return local_momentum(eta, b, 1, 1, kind, beta, AtSynchronization::kept);
}
ExchangeableAlgorithm diloco(double eta, double b, int workers, long H, double gamma, double mu, Momentum outer,
                             double beta = 0) {
  discrete::MomentumSgd rule;
  rule.set_inner(false, beta);
  rule.set_outer(outer == Momentum::nesterov, gamma, mu);
  rule.workers = workers;
  return matrices(rule, eta, b, H);
}

void same(double a, double b, double tolerance = 1e-10) {
  CAPTURE(a);
  CAPTURE(b);
  CHECK(std::abs(a - b) <= tolerance * std::abs(b));
}

}  // namespace

TEST_CASE("SGD and Local SGD have the refined weights of section 6, to 1e-10") {
  const double eta = 0.02;
  const FluctuationWeights sgd(momentum_sgd(eta, 3, Momentum::heavy_ball, 0));
  for (const auto& [i, j] : kPairs) same(sgd.weight(i, j), 1 / (2 * 3 * (i + j - eta * i * j)));
  same(sgd.diffusion(), 1.0 / 3);
  same(sgd.effective_rate(), 1);
  for (const int K : {1, 2, 5})
    for (const long H : {1L, 2L, 7L, 60L}) {
      CAPTURE(K);
      CAPTURE(H);
      const double b = 2;
      const FluctuationWeights local(
          local_momentum(eta, b, K, H, Momentum::heavy_ball, 0, AtSynchronization::averaged));
      const Parameters p{.batch = b * K, .workers = K, .alpha = eta * double(H), .eta = eta, .H = double(H)};
      for (const auto& [i, j] : kPairs) same(local.weight(i, j), weight<double>(Term::drift, p, i, j));
      same(local.diffusion(), 1 / (b * K));
      same(local.effective_rate(), 1);
    }
}

TEST_CASE("long rounds have the QSR limit: K times SGD's drift") {
  const double eta = 0.1;
  const long H = 200'000;
  const FluctuationWeights local(local_momentum(eta, 1, 4, H, Momentum::heavy_ball, 0, AtSynchronization::averaged));
  for (const auto& [i, j] : kPairs) {
    if (i + j < 1) continue;
    // 1 - psi is 1/(alpha (lambda_i + lambda_j)) at most, and a little for the finite eta.
    same(local.weight(i, j), 4 * (1 / (2 * 4 * (i + j - eta * i * j))), 2 / (eta * double(H) * (i + j)));
  }
}

TEST_CASE("a worker's deviation and the average are all there is: the same weights slot by slot") {
  using M = Momentum;
  using At = AtSynchronization;
  const ExchangeableAlgorithm all[] = {
      local_momentum(0.02, 1, 3, 4, M::heavy_ball, 0.8, At::averaged),
      local_momentum(0.02, 2, 3, 4, M::heavy_ball, 0.8, At::kept),
      local_momentum(0.02, 1, 4, 3, M::nesterov, 0.6, At::reset),
      diloco(0.03, 1, 3, 5, 0.7, 0.6, M::nesterov),
      diloco(0.03, 1, 2, 4, 0.5, 0.5, M::heavy_ball, 0.3),
      diloco(0.05, 1, 1, 6, 0.5, 0, M::heavy_ball),
  };
  for (const auto& e : all) {
    const FluctuationWeights reduced(e), slots(expanded(e));
    for (const auto& [i, j] : kPairs) {
      same(reduced.weight(i, j), slots.weight(i, j));
      same(reduced.weight(i, j), reduced.weight(j, i));
    }
    same(reduced.diffusion(), slots.diffusion());
    same(reduced.effective_rate(), slots.effective_rate());
    for (const double lambda : {0.3, 2.0}) same(reduced.spectral_radius(lambda), slots.spectral_radius(lambda), 1e-8);
  }
}

TEST_CASE("gossip has its closed form") {
  const double eta = 0.02, b = 2;
  for (const int K : {2, 6, 9}) {
    const FluctuationWeights ring(gossip(eta, b, ring_of(K)));
    for (const auto& [i, j] : kPairs) {
      double sum = 0;
      for (int a = 0; a < K; ++a) {
        const double mu = K < 3 ? (a == 0 ? 1 : 0) : (1 + 2 * std::cos(2 * std::acos(-1.0) * a / K)) / 3;
        sum += 1 / (1 - (mu - eta * i) * (mu - eta * j));
      }
      same(ring.weight(i, j), 0.5 * eta / (K * b) * sum);
    }
    same(ring.diffusion(), 1 / (b * K));
  }
  // All hear of all at every step: the fluctuation is that of SGD with the whole batch, but for the K - 1 fresh
  // deviations.
  const FluctuationWeights complete_graph(gossip(1e-6, 1, complete(4)));
  same(complete_graph.weight(1, 1), 1.0 / 16, 1e-4);
}

TEST_CASE("small learning rates: momentum is SGD at eta/(1 - beta), a delay changes nothing") {
  // Exact to first order: the differences are of the order of eta lambda.
  const double eta = 1e-5;
  for (const auto kind : {Momentum::heavy_ball, Momentum::nesterov}) {
    const double beta = 0.8;
    const FluctuationWeights ball(momentum_sgd(eta, 1, kind, beta));
    same(ball.effective_rate(), 1 / (1 - beta));
    same(ball.diffusion(), 1 / ((1 - beta) * (1 - beta)));
    for (const auto& [i, j] : kPairs)
      same(ball.weight(i, j), 1 / (2 * (i + j) * (1 - beta) * (1 - beta)), 50 * eta * 5);
  }
  const FluctuationWeights late(delayed(eta, 1, 6));
  for (const auto& [i, j] : kPairs) same(late.weight(i, j), 1 / (2 * (i + j)), 20 * eta * 5);
}

namespace {

/// A quadratic loss with Hessian `lambda` in one coordinate and no force in another, on which an algorithm runs by its
/// matrices with independent noise: sum over a period of c_(k,w) times the mean product of both coordinates where
/// gradients are taken.
double simulated(const LinearAlgorithm& a, const std::vector<double>& share, double li, double lj, long periods,
                 double& error) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const auto S = a.consensus.size();
  VectorXd x = VectorXd::Zero(S), y = x;
  double sum = 0, square = 0;
  const long warm = periods / 10, batches = 50, each = periods / batches;
  double part = 0;
  for (long p = -warm; p < batches * each; ++p) {
    std::size_t next = 0;
    for (const auto& step : a.period) {
      const VectorXd at_x = step.R * x, at_y = step.R * y;
      VectorXd gx = li * at_x, gy = lj * at_y;
      for (Eigen::Index g = 0; g < gx.size(); ++g) {
        if (p >= 0) part += share[next] * at_x[g] * at_y[g];
        ++next;
        const double xi = normal(random) / std::sqrt(a.batch);  // the two components of one noise, of covariance 1
        gx[g] += xi;
        gy[g] += xi;
      }
      x = step.A * x - a.eta * step.C * gx;
      y = step.A * y - a.eta * step.C * gy;
    }
    if (p >= 0 && (p + 1) % each == 0) {
      sum += part / double(each);
      square += part / double(each) * part / double(each);
      part = 0;
    }
  }
  const double mean = sum / double(batches), scale = 0.5 / (a.eta * a.local_steps);
  error = scale * std::sqrt((square / double(batches) - mean * mean) / double(batches - 1));
  return scale * mean;
}

}  // namespace

TEST_CASE("weights are the mean squares of simulated fluctuations") {
  // c by another way than the engine's: the limit of a slow variable after a unit gradient, by running on.
  const auto shares = [](const LinearAlgorithm& a) {
    std::vector<double> c;
    for (std::size_t k = 0; k < a.period.size(); ++k)
      for (Eigen::Index g = 0; g < a.period[k].C.cols(); ++g) {
        VectorXd z = a.period[k].C.col(g);
        for (std::size_t j = k + 1; j < a.period.size(); ++j) z = a.period[j].A * z;
        for (int round = 0; round < 2000; ++round)
          for (const auto& step : a.period) z = step.A * z;
        c.push_back(z[0]);
      }
    return c;
  };
  const LinearAlgorithm all[] = {
      expanded(momentum_sgd(0.1, 1, Momentum::nesterov, 0.7)),
      expanded(local_momentum(0.1, 2, 3, 4, Momentum::heavy_ball, 0.5, AtSynchronization::kept)),
      expanded(local_momentum(0.1, 1, 2, 5, Momentum::nesterov, 0.6, AtSynchronization::reset)),
      expanded(diloco(0.1, 1, 3, 4, 0.7, 0.4, Momentum::nesterov)),
      expanded(diloco(0.1, 1, 2, 4, 0.6, 0.5, Momentum::heavy_ball, 0.4)),
      gossip(0.1, 1, ring_of(5)),
      delayed(0.1, 1, 3),
  };
  for (const auto& a : all) {
    const FluctuationWeights engine(a);
    for (const auto& [li, lj] : {std::pair(1.0, 1.0), std::pair(0.7, 1.6)}) {
      double error = 0;
      const double measured = simulated(a, shares(a), li, lj, 200'000, error);
      CAPTURE(measured);
      CAPTURE(error);
      CHECK(std::abs(measured - engine.weight(li, lj)) < 5 * error);
      CHECK(error < 0.03 * measured);
    }
  }
}

namespace {

/// E[u v] of u_(k+1) = u_k - a u_(k-D) + xi_k and the same v with b: the products of what one xi leaves in both,
/// summed.
double summed_memory(double a, double b, int D) {
  std::vector<double> u(static_cast<std::size_t>(D), 0.0), v;
  u.push_back(1);
  v = u;
  double sum = 1;
  for (int k = 0; k < 100 * (D + 1); ++k) {
    const auto now = u.size() - 1, late = now - static_cast<std::size_t>(D);
    u.push_back(u[now] - a * u[late]);
    v.push_back(v[now] - b * v[late]);
    sum += u.back() * v.back();
  }
  return sum;
}
/// a = eta lambda below which SGD with this delay is stable.
double delay_limit(int D) { return 2 * std::sin(std::acos(-1.0) / (4 * D + 2)); }

}  // namespace

TEST_CASE("a delay has its closed form: the general engine's to 1e-10, and a sum over its memory") {
  const double b = 3, eta = 0.1;
  for (const int D : {0, 1, 2, 7, 20, 50}) {
    CAPTURE(D);
    const double most = delay_limit(D) / eta;
    const FluctuationWeights closed(delayed(eta, b, D));
    auto twice = delayed(eta, b, D);  // two steps in a period are nothing that is known: the general engine
    twice.period.push_back(twice.period.front());
    twice.local_steps = 2;
    const FluctuationWeights engine(twice);
    for (const auto& [i, j] : {std::pair(0.5, 0.5), {0.9, 0.3}, {0.4, 0.0}, {0.0, 0.7}, {0.01, 0.02}})
      same(closed.weight(i * most, j * most), engine.weight(i * most, j * most));
    same(closed.diffusion(), engine.diffusion());
    same(closed.effective_rate(), engine.effective_rate());
    for (const double i : {0.02, 0.3, 0.6, 0.99, 1.2}) {
      const double radius = closed.spectral_radius(i * most);
      same(radius * radius, engine.spectral_radius(i * most), 1e-8);
      CHECK((radius < 1) == (i < 1));
    }
    CHECK(std::isnan(closed.weight(1.1 * most, 0.1 * most)));
  }
  for (const int D : {3, 300, 1000}) {
    CAPTURE(D);
    const FluctuationWeights closed(delayed(eta, b, D));
    const double most = delay_limit(D);
    for (const auto& [i, j] : {std::pair(0.5, 0.5), {0.7, 0.3}, {0.4, 0.0}})
      same(closed.weight(i * most / eta, j * most / eta), 0.5 * eta / b * summed_memory(i * most, j * most, D));
    const auto& table = tabulated(delayed(1, 1, D));
    CHECK(table.error() <= TabulatedWeights::kError);
    same(table.stable_below(), most, 1e-5);
  }
}

TEST_CASE("l . z stays what it is where there are no gradients, from each step of a period on") {
  const auto a = expanded(diloco(0.1, 1, 2, 4, 0.7, 0.6, Momentum::nesterov, 0.3));
  VectorXd z = VectorXd::LinSpaced(a.consensus.size(), -1, 2).array().square();
  const double before = conserved(a).dot(z);
  same(conserved(a).dot(a.consensus), 1);
  for (int k = 0; k < 4; ++k) {
    same(conserved(a, k).dot(z), before);
    z = a.period[static_cast<std::size_t>(k)].A * z;
  }
  z = a.period.back().A * z;
  same(conserved(a).dot(z), before);
  // All ends there, in the consensus.
  for (int round = 0; round < 200; ++round)
    for (const auto& step : a.period) z = step.A * z;
  CHECK((z - before * a.consensus).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("stability is reported with the eigenvalue at which it fails") {
  const FluctuationWeights sgd(momentum_sgd(0.1, 1, Momentum::heavy_ball, 0));
  same(sgd.spectral_radius(5), 0.5);
  CHECK(!sgd.unstable_at(VectorXd{{0, 1, 19.9}}));
  const auto at = sgd.unstable_at(VectorXd{{0, 1, 21, 30}});
  REQUIRE(at);
  CHECK(at->lambda == 21);
  same(at->radius, 1.1);
  // Heavy ball: up to 2 (1 + beta)/eta. Delay 1: up to 1/eta.
  const FluctuationWeights ball(momentum_sgd(0.1, 1, Momentum::heavy_ball, 0.5));
  CHECK(ball.spectral_radius(29.9) < 1);
  CHECK(ball.spectral_radius(30.1) > 1);
  const FluctuationWeights late(delayed(0.1, 1, 1));
  CHECK(late.spectral_radius(9.9) < 1);
  CHECK(late.spectral_radius(10.1) > 1);
}

TEST_CASE("what is no algorithm is refused by name") {
  const auto words = [](auto make, const char* expected) {
    try {
      make();
      FAIL("was accepted: ", expected);
    } catch (const InputError& e) {
      CAPTURE(e.what());
      CHECK(std::string(e.what()).find(expected) != std::string::npos);
    }
  };
  const auto checked = [](std::vector<double> parameters) {
    return [parameters] {
      discrete::check({.type = &discrete::diloco, .workers = 2, .batch = 2, .parameters = parameters});
    };
  };
  words(checked({1, 0, 0, 1, 0, 0}), "algorithm.momentum: expected a number from 0 and below 1");
  words(checked({0, 0, 0, 0.7, 1.2, 1}), "algorithm.mu: expected a number from 0 and below 1");
  words(checked({0, 0, 0, 0, 0.2, 1}), "algorithm.gamma: expected a number above 0, got 0");
  MatrixXd apart = MatrixXd::Zero(4, 4);
  apart.topLeftCorner(2, 2).setConstant(0.5);
  apart.bottomRightCorner(2, 2).setConstant(0.5);
  words([&] { gossip(0.1, 1, apart); }, "worker 1 never hears of 3, 4");
  words([] { gossip(0.1, 1, MatrixXd{{0.5, 0.5}, {0.4, 0.6}}); }, "doubly stochastic");
  words([] { FluctuationWeights(gossip(0.1, 1, MatrixXd{{0, 1}, {1, 0}})); }, "neither decay nor are the consensus");
  words([] { delayed(0.1, 1, -1); }, "delay = -1");
  LinearAlgorithm wrong = delayed(0.1, 1, 1);
  wrong.period[0].A(0, 0) = 0.9;
  words([&] { FluctuationWeights{wrong}; }, "the consensus");
  wrong = delayed(0.1, 1, 1);
  wrong.period[0].R = MatrixXd::Zero(1, 3);
  words([&] { FluctuationWeights{wrong}; }, "step 1: expected A of 2 x 2");
}

TEST_CASE("the matrices are the algorithms: rounds with given gradients, beside an explicit loop") {
  constexpr int K = 3, H = 2;
  constexpr double eta = 0.1, beta = 0.3, gamma = 0.7, mu = 0.6;
  const auto gradient = [](double x, int w) { return std::sin(3 * x) + 0.2 * w; };
  struct State {
    double x[K], w[K], a = 0.4, p = 0.2;
  };
  const auto check = [&](const slow::ExchangeableAlgorithm& e, auto synchronize) {
    const auto expanded = slow::expanded(e);
    const auto tail = e.consensus.size() - 2;
    Eigen::VectorXd z(2 * K + tail);
    State s;
    for (int k = 0; k < K; ++k) z[2 * k] = s.x[k] = s.a, z[2 * k + 1] = s.w[k] = 0.05 * k - 0.02;
    if (tail > 0) z.tail(tail) << s.a, s.p;
    for (int round = 0; round < 3; ++round) {
      for (const auto& step : expanded.period) {
        const Eigen::VectorXd at = step.R * z;
        Eigen::VectorXd g(at.size());
        for (int k = 0; k < at.size(); ++k) g[k] = gradient(at[k], k);
        z = (step.A * z - eta * step.C * g).eval();
      }
      for (int k = 0; k < K; ++k)
        for (int h = 0; h < H; ++h) {
          s.w[k] = beta * s.w[k] - eta * gradient(s.x[k], k);
          s.x[k] += s.w[k];
        }
      synchronize(s);
      for (int k = 0; k < K; ++k) {
        CHECK(z[2 * k] == doctest::Approx(s.x[k]));
        CHECK(z[2 * k + 1] == doctest::Approx(s.w[k]));
      }
    }
  };
  const auto mean = [](const double* v) { return (v[0] + v[1] + v[2]) / K; };
  for (const auto at : {AtSynchronization::kept, AtSynchronization::averaged, AtSynchronization::reset})
    check(local_momentum(eta, 1, K, H, Momentum::heavy_ball, beta, at), [&](State& s) {
      const double x = mean(s.x), w = mean(s.w);
      for (int k = 0; k < K; ++k) {
        s.x[k] = x;
        if (at != AtSynchronization::kept) s.w[k] = at == AtSynchronization::reset ? 0 : w;
      }
    });
  for (const auto outer : {Momentum::heavy_ball, Momentum::nesterov})
    check(diloco(eta, 1, K, H, gamma, mu, outer, beta), [&](State& s) {
      const double D = mean(s.x) - s.a;
      s.p = mu * s.p + D;
      s.a += gamma * (outer == Momentum::nesterov ? D + mu * s.p : s.p);
      for (double& x : s.x) x = s.a;
    });
}
