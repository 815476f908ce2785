#include "sde/slow/linear_algorithm.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>

#include "delay.hpp"
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
VectorXd left_eigenvector(const LinearAlgorithm& a) {
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

/// c(k, w), flattened: how far a gradient of step k moves the conserved quantity, l of which is that after a period.
std::vector<double> shares(const LinearAlgorithm& a, const VectorXd& conserved) {
  std::vector<Eigen::RowVectorXd> after(a.period.size());
  Eigen::RowVectorXd l = conserved.transpose();
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

/// Whether it is a step x <- W x - eta g with symmetric W, each worker by a gradient at its own iterate.
bool mixes_iterates(const LinearAlgorithm& a) {
  const auto& step = a.period.front();
  return a.period.size() == 1 && step.C.rows() == step.C.cols() && step.C.isIdentity(0) && step.R.isIdentity(0) &&
         (step.A - step.A.transpose()).cwiseAbs().maxCoeff() <= 1e-15;
}

bool same(const LinearStep& a, const LinearStep& b) {
  return a.C.cols() == b.C.cols() && a.A == b.A && a.C == b.C && a.R == b.R;
}

/// use(step, count) for the runs of equal steps, in their order.
template <class Use>
void for_each_run(const LinearAlgorithm& a, Use use) {
  for (std::size_t k = 0; k < a.period.size();) {
    std::size_t count = 1;
    while (k + count < a.period.size() && same(a.period[k], a.period[k + count])) ++count;
    use(a.period[k], count);
    k += count;
  }
}

double radius(const LinearAlgorithm& a, double lambda) {
  MatrixXd all = MatrixXd::Identity(a.consensus.size(), a.consensus.size());
  for_each_run(a, [&](const LinearStep& step, std::size_t count) {
    MatrixXd power = damped(a, step, lambda);
    for (; count > 0; count >>= 1) {
      if (count & 1) all = power * all;
      if (count > 1) power = power * power;
    }
  });
  if (!all.allFinite()) return std::numeric_limits<double>::infinity();
  return Eigen::EigenSolver<MatrixXd>(all, false).eigenvalues().cwiseAbs().maxCoeff();
}

/// X = M X N^T + Q, by doubling: X = sum_n M^n Q N^T^n.
template <class M_>
M_ solve_stein(M_ M, M_ N, M_ X) {
  constexpr int kMostDoublings = 64;
  for (int k = 0; k < kMostDoublings; ++k) {
    const M_ more = M * X * N.transpose();
    if (!more.allFinite()) break;
    X += more;
    if (more.cwiseAbs().maxCoeff() <= 1e-17 * X.cwiseAbs().maxCoeff()) return X;
    M = (M * M).eval();
    N = (N * N).eval();
  }
  return M_::Constant(X.rows(), X.cols(), std::nan(""));
}

/// Steps in a row as one, for a pair of eigenvalues: the covariance goes X <- M X N^T + Q, l that is conserved after
/// them is l A before, and their part of the sum of c times the covariance at gradients, c = l . (later A's) C, is the
/// sum over slots s of l_s (<G_s, X> + constant_s). `Matrix_`: dynamic, or of few slots, which are then not on the
/// heap.
template <class Matrix_>
struct Steps {
  Matrix_ M, N, A, Q;
  std::vector<Matrix_> G;
  std::vector<double> constant;
};

template <class Matrix_>
Steps<Matrix_> one_step(const LinearAlgorithm& a, const LinearStep& step, double li, double lj) {
  Steps<Matrix_> r{step.A - a.eta * li * (step.C * step.R),
                   step.A - a.eta * lj * (step.C * step.R),
                   step.A,
                   a.eta * a.eta / a.batch * (step.C * step.C.transpose()),
                   {},
                   {}};
  const auto S = step.A.rows();
  for (Eigen::Index s = 0; s < S; ++s) {
    r.G.emplace_back(Matrix_::Zero(S, S));
    for (Eigen::Index g = 0; g < step.R.rows(); ++g)
      if (step.C(s, g) != 0) r.G.back() += step.C(s, g) * (step.R.row(g).transpose() * step.R.row(g));
    r.constant.push_back(0);
  }
  return r;
}

template <class Matrix_>
Steps<Matrix_> in_a_row(const Steps<Matrix_>& first, const Steps<Matrix_>& then) {
  Steps<Matrix_> r{
      then.M * first.M, then.N * first.N, then.A * first.A, then.M * first.Q * then.N.transpose() + then.Q, {}, {}};
  const auto S = first.A.rows();
  for (Eigen::Index s = 0; s < S; ++s) {
    const auto& of_then = then.G[static_cast<std::size_t>(s)];
    Matrix_ G = first.M.transpose() * of_then * first.N;
    double constant = of_then.cwiseProduct(first.Q).sum() + then.constant[static_cast<std::size_t>(s)];
    for (Eigen::Index before = 0; before < S; ++before)
      if (const double passed = then.A(s, before); passed != 0) {
        G += passed * first.G[static_cast<std::size_t>(before)];
        constant += passed * first.constant[static_cast<std::size_t>(before)];
      }
    r.G.push_back(std::move(G));
    r.constant.push_back(constant);
  }
  return r;
}

/// Sum over the gradients of a period of c times the covariance of an (i, j) pair there, c for the conserved l. Equal
/// steps in a row by squaring: rounds are long, and a table asks for thousands of pairs.
template <class Matrix_>
double covariance_at_gradients(const LinearAlgorithm& a, const VectorXd& l, double li, double lj) {
  std::optional<Steps<Matrix_>> period;
  const auto append = [&](const Steps<Matrix_>& more) { period = period ? in_a_row(*period, more) : more; };
  for_each_run(a, [&](const LinearStep& step, std::size_t count) {
    auto power = one_step<Matrix_>(a, step, li, lj);
    for (; count > 0; count >>= 1) {
      if (count & 1) append(power);  // equal steps: their order does not matter
      if (count > 1) power = in_a_row(power, power);
    }
  });
  const Matrix_ X = solve_stein<Matrix_>(period->M, period->N, period->Q);
  double sum = 0;
  for (std::size_t s = 0; s < period->G.size(); ++s)
    sum += l[static_cast<Eigen::Index>(s)] * (period->G[s].cwiseProduct(X).sum() + period->constant[s]);
  return sum;
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

LinearAlgorithm average_of(const ExchangeableAlgorithm& e) {
  const auto s = e.A.rows(), all = e.consensus.size();
  LinearAlgorithm mean;
  mean.eta = e.eta;
  mean.batch = e.batch * e.workers;  // its gradient's noise is that of the mean of K
  mean.local_steps = static_cast<double>(e.steps);
  mean.consensus = e.consensus;
  LinearStep step{MatrixXd::Identity(all, all), MatrixXd::Zero(all, 1), MatrixXd::Zero(1, all)};
  step.A.topLeftCorner(s, s) = e.A;
  step.C.col(0).head(s) = e.C;
  step.R.row(0).head(s) = e.R.transpose();
  mean.period.assign(static_cast<std::size_t>(e.steps), step);
  mean.period.push_back({e.synchronize, MatrixXd(all, 0), MatrixXd(0, all)});
  return mean;
}

VectorXd conserved(const LinearAlgorithm& a, long done) {
  check_shapes(a);
  Eigen::RowVectorXd l = left_eigenvector(a).transpose();
  if (done == 0) return l.transpose();
  long gradients = 0;  // steps with any
  for (const auto& step : a.period) gradients += step.R.rows() > 0;
  for (std::size_t k = a.period.size(); k-- > 0 && done < gradients;) {
    l = (l * a.period[k].A).eval();
    gradients -= a.period[k].R.rows() > 0;
  }
  return l.transpose();
}

FluctuationWeights::FluctuationWeights(LinearAlgorithm a) : eta_(a.eta), local_steps_(a.local_steps) {
  check_shapes(a);
  if ((delay_ = delay_of(a))) {  // its newest iterate is the slow variable
    batch_ = a.batch;
    diffusion_ = 1 / a.batch;
    effective_rate_ = 1;
    return;
  }
  VectorXd l = left_eigenvector(a);
  const auto c = shares(a, l);
  double square = 0, sum = 0;
  for (const double share : c) square += share * share, sum += share;
  diffusion_ = square / (a.batch * local_steps_);
  effective_rate_ = sum / local_steps_;
  if (mixes_iterates(a))
    add_mixing_modes(a, c.front());
  else
    modes_.push_back({std::move(a), std::move(l)});
}

/// x <- W x - eta g by workers that share one c: of symmetric W the eigenvectors fluctuate by themselves, and the
/// workers' variances are in sum those of the eigenvectors.
void FluctuationWeights::add_mixing_modes(const LinearAlgorithm& a, double share) {
  const VectorXd mu = Eigen::SelfAdjointEigenSolver<MatrixXd>(a.period.front().A, Eigen::EigenvaluesOnly).eigenvalues();
  for (Eigen::Index k = 0; k < mu.size();) {
    const double first = mu[k];
    double count = 0;
    for (; k < mu.size() && mu[k] - first <= 1e-13; ++k) ++count;
    LinearAlgorithm mode{{{MatrixXd::Constant(1, 1, first), MatrixXd::Ones(1, 1), MatrixXd::Ones(1, 1)}},
                         VectorXd::Ones(1),
                         a.eta,
                         a.batch,
                         a.local_steps};
    modes_.push_back({std::move(mode), VectorXd::Constant(1, share * count)});
  }
}

FluctuationWeights::FluctuationWeights(const ExchangeableAlgorithm& e) : eta_(e.eta) {
  const auto s = e.A.rows(), q = e.consensus.size() - s;
  if (e.workers < 1 || e.steps < 1 || q < 0 || e.synchronize_apart.rows() != s || e.synchronize_apart.cols() != s)
    refuse("expected at least one worker and step, and synchronizations of s and s + q slots");
  const double K = e.workers;
  const LinearAlgorithm mean = average_of(e);
  local_steps_ = mean.local_steps;
  check_shapes(mean);
  const VectorXd l = left_eigenvector(mean);
  const auto c = shares(mean, l);
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
  // The synchronization first: l goes through that of the average, which no gradient of the deviation comes before.
  apart.period.push_back({e.synchronize_apart, MatrixXd(s, 0), MatrixXd(0, s)});
  apart.period.insert(apart.period.end(), static_cast<std::size_t>(e.steps), {e.A, e.C, e.R.transpose()});
  modes_.push_back({mean, l});
  if (e.workers == 1) return;
  const double left = Eigen::EigenSolver<MatrixXd>(product(apart), false).eigenvalues().cwiseAbs().maxCoeff();
  if (left >= 1 - 1e-9)
    refuse(fmt::format("a worker's deviation from the average does not die out (spectral radius {:.6g} of a round)",
                       left));
  modes_.push_back({std::move(apart), (1 - 1 / K) * (e.synchronize.transpose() * l).head(s)});
}

double FluctuationWeights::mode_weight(const Mode& mode, double li, double lj) {
  constexpr int kFew = 4;
  using Few = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kFew, kFew>;
  return mode.algorithm.consensus.size() <= kFew
             ? covariance_at_gradients<Few>(mode.algorithm, mode.conserved, li, lj)
             : covariance_at_gradients<MatrixXd>(mode.algorithm, mode.conserved, li, lj);
}

double FluctuationWeights::weight(double li, double lj) const {
  if (delay_) return 0.5 * eta_ / batch_ * delayed_covariance(eta_ * li, eta_ * lj, *delay_);
  double sum = 0;
  for (const auto& mode : modes_) sum += mode_weight(mode, li, lj);
  return 0.5 * sum / (eta_ * local_steps_);
}

double FluctuationWeights::spectral_radius(double lambda) const {
  if (delay_) return delayed_radius(eta_ * lambda, *delay_);
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
