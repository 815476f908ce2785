#include "sde/slow/linear_algorithms.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "sde/core/error.hpp"

namespace sde::slow {

using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

void expect_fraction(const char* name, double value) {
  if (!(value >= 0 && value < 1))
    throw InputError(
        fmt::format("{} = {}: expected a number from 0 and below 1 (beyond, momentum never dies out)", name, value));
}

/// A worker with the slots x and w.
void set_momentum_step(ExchangeableAlgorithm& e, Momentum kind, double beta) {
  expect_fraction("beta", beta);
  const double again = kind == Momentum::nesterov ? beta : 1;  // x <- x + again w - (nesterov) eta g
  e.A = MatrixXd{{1, again * beta}, {0, beta}};
  e.C = VectorXd{{kind == Momentum::nesterov ? 1 + beta : 1, 1}};
  e.R = VectorXd{{1, 0}};
}

/// The workers that worker 0 reaches through W.
std::vector<bool> reached(const MatrixXd& W) {
  std::vector<bool> found(static_cast<std::size_t>(W.rows()));
  std::vector<Eigen::Index> open{0};
  found[0] = true;
  while (!open.empty()) {
    const auto from = open.back();
    open.pop_back();
    for (Eigen::Index to = 0; to < W.cols(); ++to)
      if ((W(from, to) != 0 || W(to, from) != 0) && !found[static_cast<std::size_t>(to)]) {
        found[static_cast<std::size_t>(to)] = true;
        open.push_back(to);
      }
  }
  return found;
}

}  // namespace

ExchangeableAlgorithm momentum_sgd(double eta, double b, Momentum kind, double beta) {
  return local_momentum(eta, b, 1, 1, kind, beta, AtSynchronization::kept);
}

ExchangeableAlgorithm local_momentum(double eta, double b, int workers, long H, Momentum kind, double beta,
                                     AtSynchronization at) {
  ExchangeableAlgorithm e;
  e.workers = workers;
  e.steps = H;
  e.eta = eta;
  e.batch = b;
  set_momentum_step(e, kind, beta);
  e.synchronize = MatrixXd{{1, 0}, {0, at == AtSynchronization::reset ? 0.0 : 1.0}};
  e.synchronize_apart = MatrixXd{{0, 0}, {0, at == AtSynchronization::kept ? 1.0 : 0.0}};
  e.consensus = VectorXd{{1, 0}};
  return e;
}

ExchangeableAlgorithm diloco(double eta, double b, int workers, long H, double gamma, double mu, Momentum outer,
                             double beta) {
  expect_fraction("mu", mu);
  if (!(gamma > 0)) throw InputError(fmt::format("gamma = {}: expected a number above 0", gamma));
  auto e = local_momentum(eta, b, workers, H, Momentum::heavy_ball, beta, AtSynchronization::kept);
  // Slots of the average: x, w, anchor a, outer p. p' = mu p + x - a.
  const double direct = outer == Momentum::nesterov ? gamma * (1 + mu) : gamma;     // of D in a'
  const double again = outer == Momentum::nesterov ? gamma * mu * mu : gamma * mu;  // of p in a'
  const Eigen::RowVector4d anchor{direct, 0, 1 - direct, again};
  e.synchronize = MatrixXd(4, 4);
  e.synchronize << anchor, Eigen::RowVector4d{0, 1, 0, 0}, anchor, Eigen::RowVector4d{1, 0, -1, mu};
  e.consensus = VectorXd{{1, 0, 1, 0}};
  return e;
}

LinearAlgorithm gossip(double eta, double b, const MatrixXd& W, int times) {
  const auto K = W.rows();
  if (K < 1 || W.cols() != K || times < 1) throw InputError("gossip: expected a square matrix, applied once or more");
  constexpr double kRounding = 1e-12;
  const auto ones = VectorXd::Ones(K);
  if (W.minCoeff() < 0 || (W * ones - ones).cwiseAbs().maxCoeff() > kRounding ||
      (W.transpose() * ones - ones).cwiseAbs().maxCoeff() > kRounding)
    throw InputError("gossip: expected a doubly stochastic matrix (entries from 0, all rows and columns of sum 1)");
  const auto found = reached(W);
  std::vector<std::size_t> apart;
  for (std::size_t k = 0; k < found.size(); ++k)
    if (!found[k]) apart.push_back(k + 1);
  if (!apart.empty())
    throw InputError(
        fmt::format("gossip: the graph is not connected: worker 1 never hears of {}", fmt::join(apart, ", ")));
  MatrixXd mixed = W;
  for (int k = 1; k < times; ++k) mixed = W * mixed;
  return {{{mixed, MatrixXd::Identity(K, K), MatrixXd::Identity(K, K)}}, ones, eta, b, 1};
}

LinearAlgorithm delayed(double eta, double b, int delay) {
  if (delay < 0) throw InputError(fmt::format("delay = {}: expected a whole number from 0", delay));
  const Eigen::Index S = delay + 1;
  LinearStep step{MatrixXd::Zero(S, S), MatrixXd::Zero(S, 1), MatrixXd::Zero(1, S)};
  step.A(0, 0) = 1;
  for (Eigen::Index k = 1; k < S; ++k) step.A(k, k - 1) = 1;
  step.C(0, 0) = 1;
  step.R(0, S - 1) = 1;
  return {{step}, VectorXd::Ones(S), eta, b, 1};
}

MatrixXd ring_of(int workers) {
  if (workers < 3) return complete(workers);
  MatrixXd W = MatrixXd::Zero(workers, workers);
  for (int k = 0; k < workers; ++k)
    for (const int neighbour : {k, (k + 1) % workers, (k + workers - 1) % workers}) W(k, neighbour) = 1.0 / 3;
  return W;
}
MatrixXd complete(int workers) { return MatrixXd::Constant(workers, workers, 1.0 / workers); }

}  // namespace sde::slow
