#include "sde/discrete/linear_program.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/slow/kept_by_matrices.hpp"

namespace sde::discrete {

namespace {

using Eigen::MatrixXd;

/// What a LinearRule points to.
struct Arrays {
  std::vector<int> kind, start, column;
  std::vector<double> weight, observed, consensus;
  LinearRule rule;
};

void append_rows(Arrays& to, const MatrixXd& m) {
  for (Eigen::Index row = 0; row < m.rows(); ++row) {
    to.start.push_back(static_cast<int>(to.column.size()));
    for (Eigen::Index c = 0; c < m.cols(); ++c)
      if (m(row, c) != 0) {
        to.column.push_back(static_cast<int>(c));
        to.weight.push_back(m(row, c));
      }
  }
}

/// Each step with the steps without gradients that follow it.
std::vector<slow::LinearStep> with_gradients(const slow::LinearAlgorithm& a) {
  std::vector<slow::LinearStep> steps;
  for (const auto& step : a.period) {
    if (step.R.rows() > 0) {
      steps.push_back(step);
      continue;
    }
    if (steps.empty()) throw InputError("linear algorithm: expected a step with a gradient first");
    steps.back().C = (step.A * steps.back().C).eval();
    steps.back().A = (step.A * steps.back().A).eval();
  }
  for (std::size_t k = 0; k < steps.size(); ++k)
    if (steps[k].R.rows() != steps[0].R.rows())
      throw InputError(
          fmt::format("linear algorithm: step {}: expected as many gradients as in the first step, {}, got {}", k + 1,
                      steps[0].R.rows(), steps[k].R.rows()));
  return steps;
}

std::unique_ptr<Arrays> arrays_of(const slow::LinearAlgorithm& a, const std::vector<double>& observed) {
  auto to = std::make_unique<Arrays>();
  const auto steps = with_gradients(a);
  std::vector<std::size_t> first;  // step of each kind
  for (std::size_t k = 0; k < steps.size(); ++k) {
    std::size_t kind = 0;
    while (kind < first.size() && !(steps[first[kind]].A == steps[k].A && steps[first[kind]].C == steps[k].C &&
                                    steps[first[kind]].R == steps[k].R))
      ++kind;
    if (kind == first.size()) {
      first.push_back(k);
      append_rows(*to, steps[k].R);
      append_rows(*to, steps[k].A);
      append_rows(*to, steps[k].C);
    }
    to->kind.push_back(static_cast<int>(kind));
  }
  to->start.push_back(static_cast<int>(to->column.size()));
  to->observed = observed;
  to->consensus.assign(a.consensus.begin(), a.consensus.end());
  to->rule = {static_cast<int>(a.consensus.size()),
              static_cast<int>(steps[0].R.rows()),
              static_cast<int>(steps.size()),
              to->kind.data(),
              to->start.data(),
              to->column.data(),
              to->weight.data(),
              to->observed.data(),
              to->consensus.data()};
  return to;
}

}  // namespace

LinearRule linear_rule(const slow::LinearAlgorithm& a, const std::vector<double>& observed) {
  slow::MatrixKey key;
  key.add(Eigen::Map<const Eigen::MatrixXd>(observed.data(), static_cast<Eigen::Index>(observed.size()), 1)).add(a);
  static slow::KeptByMatrices<Arrays> all;
  return all.get(key, [&] { return arrays_of(a, observed); }).rule;
}

}  // namespace sde::discrete
