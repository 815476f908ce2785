#include "sde/slow/linear_algorithm.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>

#include "sde/core/error.hpp"

namespace sde::slow {

using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

[[noreturn]] void refuse(const std::string& what) { throw InputError("linear algorithm: " + what); }

void check_shapes(const LinearAlgorithm& a) {
  const auto S = a.consensus.size();
  if (S == 0 || a.period.empty()) refuse("expected at least one slot and one step");
  if (!(a.eta > 0) || !(a.batch > 0) || !(a.local_steps > 0))
    refuse("expected eta, batch and the local steps of a period above 0");
  for (std::size_t k = 0; k < a.period.size(); ++k) {
    const auto& step = a.period[k];
    const auto G = step.C.cols();
    if (step.A.rows() != S || step.A.cols() != S || step.C.rows() != S || step.R.rows() != G || step.R.cols() != S)
      refuse(fmt::format("step {}: expected A of {} x {}, C of {} x G and R of G x {}", k + 1, S, S, S, S));
    if (!step.A.allFinite() || !step.C.allFinite() || !step.R.allFinite())
      refuse(fmt::format("step {}: expected finite numbers", k + 1));
    if ((step.A * a.consensus - a.consensus).cwiseAbs().maxCoeff() > 1e-12)
      refuse(
          fmt::format("step {}: the consensus (1 in every iterate, 0 in every momentum) is not left as it is", k + 1));
    if (G > 0 && ((step.R * a.consensus).array() - 1).abs().maxCoeff() > 1e-12)
      refuse(fmt::format("step {}: gradients are to be taken at points of weight 1 in the iterates", k + 1));
  }
}

MatrixXd product(const LinearAlgorithm& a) {
  MatrixXd all = MatrixXd::Identity(a.consensus.size(), a.consensus.size());
  for (const auto& step : a.period) all = step.A * all;
  return all;
}

/// The left eigenvector of the period's product for the eigenvalue 1, over l . z0.
VectorXd conserved(const LinearAlgorithm& a) {
  const MatrixXd all = product(a);
  const auto S = all.rows();
  const auto eigenvalues = Eigen::EigenSolver<MatrixXd>(all, false).eigenvalues();
  constexpr double kNearOne = 1e-9;
  int near = 0;
  for (const auto& e : eigenvalues) near += std::abs(e) >= 1 - kNearOne;
  if (near != 1)
    refuse(
        fmt::format("{} modes neither decay nor are the consensus (workers that never exchange anything, or a momentum "
                    "that is not damped): expected one",
                    near - 1));
  // l (A - 1) = 0 with l . z0 = 1, as one square system: A - 1 has the one null vector z0.
  MatrixXd system = (all - MatrixXd::Identity(S, S)).transpose();
  system += a.consensus * a.consensus.transpose();
  return system.fullPivLu().solve(a.consensus);
}

/// c(k, w), flattened: how far a gradient of step k moves the conserved quantity.
std::vector<double> shares(const LinearAlgorithm& a) {
  std::vector<Eigen::RowVectorXd> after(a.period.size());
  Eigen::RowVectorXd l = conserved(a).transpose();
  for (std::size_t k = a.period.size(); k-- > 0;) {
    after[k] = l;
    l = l * a.period[k].A;
  }
  std::vector<double> c;
  for (std::size_t k = 0; k < a.period.size(); ++k) {
    const Eigen::RowVectorXd moved = after[k] * a.period[k].C;
    c.insert(c.end(), moved.begin(), moved.end());
  }
  return c;
}

MatrixXd damped(const LinearAlgorithm& a, const LinearStep& step, double lambda) {
  return step.A - a.eta * lambda * (step.C * step.R);
}

double radius(const LinearAlgorithm& a, double lambda) {
  MatrixXd all = MatrixXd::Identity(a.consensus.size(), a.consensus.size());
  for (const auto& step : a.period) all = damped(a, step, lambda) * all;
  return Eigen::EigenSolver<MatrixXd>(all, false).eigenvalues().cwiseAbs().maxCoeff();
}

/// X = M X N^T + Q, by doubling: X = sum_n M^n Q N^T^n.
MatrixXd solve_stein(MatrixXd M, MatrixXd N, MatrixXd X) {
  constexpr int kMostDoublings = 64;
  for (int k = 0; k < kMostDoublings; ++k) {
    const MatrixXd more = M * X * N.transpose();
    if (!more.allFinite()) break;
    X += more;
    if (more.cwiseAbs().maxCoeff() <= 1e-17 * X.cwiseAbs().maxCoeff()) return X;
    M = (M * M).eval();
    N = (N * N).eval();
  }
  return MatrixXd::Constant(X.rows(), X.cols(), std::nan(""));
}

}  // namespace

LinearAlgorithm expanded(const ExchangeableAlgorithm& e) {
  const auto s = e.A.rows(), K = Eigen::Index(e.workers), q = e.consensus.size() - s, S = K * s + q;
  LinearAlgorithm a;
  a.eta = e.eta;
  a.batch = e.batch;
  a.local_steps = static_cast<double>(e.steps);
  a.consensus = VectorXd(S);
  for (Eigen::Index w = 0; w < K; ++w) a.consensus.segment(w * s, s) = e.consensus.head(s);
  a.consensus.tail(q) = e.consensus.tail(q);
  LinearStep step{MatrixXd::Identity(S, S), MatrixXd::Zero(S, K), MatrixXd::Zero(K, S)};
  for (Eigen::Index w = 0; w < K; ++w) {
    step.A.block(w * s, w * s, s, s) = e.A;
    step.C.col(w).segment(w * s, s) = e.C;
    step.R.row(w).segment(w * s, s) = e.R.transpose();
  }
  a.period.assign(static_cast<std::size_t>(e.steps), step);
  // The average, then each worker as what the average becomes and its own deviation.
  MatrixXd average = MatrixXd::Zero(s + q, S);
  for (Eigen::Index w = 0; w < K; ++w) average.block(0, w * s, s, s).setIdentity() /= static_cast<double>(K);
  average.bottomRightCorner(q, q).setIdentity();
  const MatrixXd mean = e.synchronize * average;
  LinearStep sync{MatrixXd::Zero(S, S), MatrixXd(S, 0), MatrixXd(0, S)};
  for (Eigen::Index w = 0; w < K; ++w) {
    MatrixXd own = MatrixXd::Zero(s, S);
    own.block(0, w * s, s, s).setIdentity();
    sync.A.middleRows(w * s, s) = mean.topRows(s) + e.synchronize_apart * (own - average.topRows(s));
  }
  sync.A.bottomRows(q) = mean.bottomRows(q);
  a.period.push_back(sync);
  return a;
}

FluctuationWeights::FluctuationWeights(LinearAlgorithm a) : eta_(a.eta), local_steps_(a.local_steps) {
  check_shapes(a);
  auto c = shares(a);
  double square = 0, sum = 0;
  for (const double share : c) square += share * share, sum += share;
  diffusion_ = square / (a.batch * local_steps_);
  effective_rate_ = sum / local_steps_;
  modes_.push_back({std::move(a), std::move(c)});
}

FluctuationWeights::FluctuationWeights(const ExchangeableAlgorithm& e) : eta_(e.eta) {
  const auto s = e.A.rows(), q = e.consensus.size() - s;
  if (e.workers < 1 || e.steps < 1 || q < 0 || e.synchronize_apart.rows() != s || e.synchronize_apart.cols() != s)
    refuse("expected at least one worker and step, and synchronizations of s and s + q slots");
  const double K = e.workers;
  // The average: its gradient's noise is that of the mean of K.
  LinearAlgorithm mean;
  mean.eta = e.eta;
  mean.batch = e.batch * K;
  mean.local_steps = local_steps_ = static_cast<double>(e.steps);
  mean.consensus = e.consensus;
  LinearStep step{MatrixXd::Identity(s + q, s + q), MatrixXd::Zero(s + q, 1), MatrixXd::Zero(1, s + q)};
  step.A.topLeftCorner(s, s) = e.A;
  step.C.col(0).head(s) = e.C;
  step.R.row(0).head(s) = e.R.transpose();
  mean.period.assign(static_cast<std::size_t>(e.steps), step);
  mean.period.push_back({e.synchronize, MatrixXd(s + q, 0), MatrixXd(0, s + q)});
  check_shapes(mean);
  const auto c = shares(mean);
  double square = 0, sum = 0;
  for (const double share : c) square += share * share, sum += share;
  diffusion_ = square / (mean.batch * local_steps_);
  effective_rate_ = sum / local_steps_;
  // A deviation of one worker has the noise of its own gradient less the mean's.
  LinearAlgorithm apart;
  apart.eta = e.eta;
  apart.batch = e.batch;
  apart.local_steps = local_steps_;
  apart.consensus = VectorXd::Zero(s);
  apart.period.assign(static_cast<std::size_t>(e.steps), {e.A, e.C, e.R.transpose()});
  apart.period.push_back({e.synchronize_apart, MatrixXd(s, 0), MatrixXd(0, s)});
  std::vector<double> of_apart;
  for (const double share : c) of_apart.push_back((1 - 1 / K) * share);
  modes_.push_back({std::move(mean), c});
  if (e.workers == 1) return;
  const double left = Eigen::EigenSolver<MatrixXd>(product(apart), false).eigenvalues().cwiseAbs().maxCoeff();
  if (left >= 1 - 1e-9)
    refuse(fmt::format("a worker's deviation from the average does not die out (spectral radius {:.6g} of a round)",
                       left));
  modes_.push_back({std::move(apart), std::move(of_apart)});
}

double FluctuationWeights::mode_weight(const Mode& mode, double li, double lj) {
  const auto& a = mode.algorithm;
  const auto S = a.consensus.size();
  MatrixXd M = MatrixXd::Identity(S, S), N = M, Q = MatrixXd::Zero(S, S);
  const auto noise = [&](const LinearStep& step) -> MatrixXd {
    return a.eta * a.eta / a.batch * (step.C * step.C.transpose());
  };
  for (const auto& step : a.period) {
    const MatrixXd left = damped(a, step, li), right = damped(a, step, lj);
    Q = left * Q * right.transpose() + noise(step);
    M = left * M;
    N = right * N;
  }
  MatrixXd X = solve_stein(M, N, Q);
  double sum = 0;
  std::size_t next = 0;
  for (const auto& step : a.period) {
    for (Eigen::Index g = 0; g < step.R.rows(); ++g)
      sum += mode.share[next++] * step.R.row(g).dot(X * step.R.row(g).transpose());
    X = damped(a, step, li) * X * damped(a, step, lj).transpose() + noise(step);
  }
  return sum;
}

double FluctuationWeights::weight(double li, double lj) const {
  double sum = 0;
  for (const auto& mode : modes_) sum += mode_weight(mode, li, lj);
  return 0.5 * sum / (eta_ * local_steps_);
}

double FluctuationWeights::spectral_radius(double lambda) const {
  double most = 0;
  for (const auto& mode : modes_) most = std::max(most, radius(mode.algorithm, lambda));
  return most;
}

std::optional<Instability> FluctuationWeights::unstable_at(const VectorXd& eigenvalues) const {
  for (const double lambda : eigenvalues)
    if (const double r = lambda > 0 ? spectral_radius(lambda) : 0; !(r < 1)) return Instability{lambda, r};
  return std::nullopt;
}

}  // namespace sde::slow
