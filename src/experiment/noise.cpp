#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "reading.hpp"

namespace sde::experiment {

namespace {

using slow::Matrix;
using slow::Vector;

/// Columns A with A A^T = C. The symmetric root's columns with zero eigenvalue are dropped.
std::vector<double> factor_of(Section& s, const std::string& key, const std::vector<double>& entries, int d,
                              int& rank) {
  if (static_cast<int>(entries.size()) != d * d)
    s.fail(key, fmt::format("expected {} x {} = {} numbers (row-major), got {}", d, d, d * d, entries.size()));
  const Matrix C = Eigen::Map<const Matrix>(entries.data(), d, d);
  const double scale = C.cwiseAbs().maxCoeff();
  if ((C - C.transpose()).cwiseAbs().maxCoeff() > 1e-12 * scale)
    s.fail(key, "expected a symmetric matrix: C[i][j] and C[j][i] differ");
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(C);
  if (solver.eigenvalues().minCoeff() < -1e-12 * scale)
    s.fail(key, fmt::format("expected a positive semidefinite matrix, its least eigenvalue is {:.6g}",
                            solver.eigenvalues().minCoeff()));
  std::vector<double> columns;
  rank = 0;
  for (int i = d - 1; i >= 0; --i) {
    const double l = solver.eigenvalues()[i];
    if (l <= 1e-14 * scale) break;
    const Vector column = std::sqrt(l) * solver.eigenvectors().col(i);
    columns.insert(columns.end(), column.begin(), column.end());
    ++rank;
  }
  return columns;
}

void read_gaussian(Section& s, int d, Noise& noise) {
  if (noise.rank > 0) s.fail("kind", "a second gaussian noise: add the covariances instead");
  std::string given;
  for (const char* key : {"covariance", "variances", "variance"}) {
    s.know(key);
    if (!s.has(key)) continue;
    if (!given.empty()) s.fail(key, fmt::format("there is {} already: expected one of the two", given));
    given = key;
  }
  if (s.has("covariance")) {
    noise.factor = factor_of(s, "covariance", s.numbers({"covariance", ""}), d, noise.rank);
    return;
  }
  std::vector<double> variances = s.numbers({"variances", ""});
  if (variances.empty()) variances.assign(static_cast<std::size_t>(d), s.non_negative({"variance", ""}, 1.0));
  if (static_cast<int>(variances.size()) != d)
    s.fail("variances", fmt::format("expected {} numbers, one a coordinate, got {}", d, variances.size()));
  for (int k = 0; k < d; ++k) {
    if (variances[k] < 0)
      s.fail("variances", fmt::format("expected numbers of at least 0, entry {} is {}", k + 1, variances[k]));
    if (variances[k] == 0) continue;
    std::vector<double> column(static_cast<std::size_t>(d), 0.0);
    column[k] = std::sqrt(variances[k]);
    noise.factor.insert(noise.factor.end(), column.begin(), column.end());
    ++noise.rank;
  }
}

}  // namespace

Noise read_noise(std::vector<Section> sections, const LossModel& model) {
  Noise noise;
  const int d = model.dim(), n = model.residual_count();
  const auto* network = model.at_points();
  std::string sampling;
  for (auto& s : sections) {
    const std::string kind = s.choice({"kind", ""}, "", {"label", "minibatch", "gaussian", "state", "none"});
    if (kind == "label" || kind == "minibatch") {
      if (n == 0 && !network) s.fail("kind", fmt::format("{} noise needs a squared loss (residuals)", kind));
      // Labels are perturbed in the samples that are drawn: both kinds mean the same draw.
      const std::string drawn = sampling.empty() ? "with_replacement" : sampling;
      const std::string own = s.choice({"sampling", ""}, drawn, {"full", "with_replacement", "without_replacement"});
      if (!sampling.empty() && own != sampling)
        s.fail("sampling", fmt::format("'{}' contradicts the '{}' of another noise: label and minibatch noise share "
                                       "their samples, expected the same sampling",
                                       own, sampling));
      sampling = own;
      noise.sampling = own == "full"               ? Sampling::full
                       : own == "with_replacement" ? Sampling::with_replacement
                                                   : Sampling::without_replacement;
    }
    if (network && kind != "none" && kind != "label" && kind != "minibatch")
      s.fail("kind",
             fmt::format("'{}': a network's noise is of its samples and labels: expected minibatch or label", kind));
    if (kind == "label" && network) {
      if (noise.redraw > 0) s.fail("kind", "a second label noise: expected one");
      if (noise.sampling == Sampling::full)
        s.fail("sampling",
               "labels are redrawn of samples that are drawn: expected with_replacement or without_replacement");
      noise.redraw = s.between({"probability", "that a drawn sample's label is another class's"}, std::nan(""), 0, 1);
    } else if (kind == "label") {
      if (noise.sigma2 > 0) s.fail("kind", "a second label noise: add the variances instead");
      noise.sigma2 = s.non_negative({"sigma2", ""}, 1.0);
      noise.label_law =
          s.choice({"law", ""}, "two_point", {"two_point", "gaussian"}) == "gaussian" ? Law::gaussian : Law::two_point;
    } else if (kind == "gaussian") {
      read_gaussian(s, d, noise);
    } else if (kind == "state") {
      if (noise.state_rank > 0) s.fail("kind", "a second state noise: put its columns beside the first's instead");
      // A(theta) = A_0 + sum_k theta_k A_k; `constant` holds A_0 and `slopes` A_1, ..., A_d, each d x rank, column by
      // column.
      noise.state_rank = static_cast<int>(s.integer({"rank", ""}, 1, 1, d));
      const std::size_t size = static_cast<std::size_t>(noise.state_rank * d);
      auto constant = s.numbers({"constant", ""}), slopes = s.numbers({"slopes", ""});
      if (constant.empty()) constant.assign(size, 0.0);
      if (slopes.empty()) slopes.assign(size * static_cast<std::size_t>(d), 0.0);
      if (constant.size() != size)
        s.fail("constant", fmt::format("expected d * rank = {} numbers, got {}", size, constant.size()));
      if (slopes.size() != size * static_cast<std::size_t>(d))
        s.fail("slopes", fmt::format("expected d * d * rank = {} numbers, got {}", size * static_cast<std::size_t>(d),
                                     slopes.size()));
      noise.state = constant;
      noise.state.insert(noise.state.end(), slopes.begin(), slopes.end());
    }
    s.finish();
  }
  return noise;
}

}  // namespace sde::experiment
