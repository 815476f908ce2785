#include "sde/slow/linear_algorithms.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "sde/core/error.hpp"

namespace sde::slow {

using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

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
MatrixXd torus_of(int workers) {
  int rows = static_cast<int>(std::sqrt(static_cast<double>(workers)));
  while (workers % rows != 0) --rows;
  const int columns = workers / rows;
  if (rows < 3 || columns < 3)
    throw InputError(fmt::format("gossip: a torus of {} workers: expected a product of two numbers from 3", workers));
  MatrixXd W = MatrixXd::Zero(workers, workers);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const int here = r * columns + c;
      W(here, here) = 0.2;
      for (const int step : {1, -1}) {
        W(here, (r + step + rows) % rows * columns + c) = 0.2;
        W(here, r * columns + (c + step + columns) % columns) = 0.2;
      }
    }
  return W;
}
MatrixXd complete(int workers) { return MatrixXd::Constant(workers, workers, 1.0 / workers); }

}  // namespace sde::slow
