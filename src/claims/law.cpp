#include "law.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sde/stats/two_sample.hpp"

namespace sde::claims {

namespace {

constexpr double kEta = 0.01, kTime = 2;

using Points = std::vector<std::vector<double>>;  // [path][coordinate]

Points sample(const Setting& s, const ensemble::Problem& p, const discrete::Algorithm& algorithm,
              const ensemble::Dynamics& dynamics, long paths) {
  const int d = p.model->dim();
  ensemble::Observation observation;
  observation.times = {0, kTime};
  for (int k = 0; k < d; ++k)
    observation.polynomials.push_back(ensemble::Polynomial::parse(fmt::format("x{}", k + 1), d));
  ensemble::Method method;
  method.dynamics = &dynamics;
  method.algorithm = algorithm;
  Points points;
  for (; static_cast<long>(points.size()) < paths; ++method.algorithm.seed) {
    method.paths = std::min(paths - static_cast<long>(points.size()), ensemble::MethodResult::kQuantilePaths);
    const auto r = ensemble::run(p, method, observation, s.control);
    const auto begin = std::find(r.observables.begin(), r.observables.end(), "x1") - r.observables.begin();
    const auto& last = r.samples.back();
    for (std::size_t i = 0; i < last[static_cast<std::size_t>(begin)].size(); ++i) {
      points.emplace_back();
      for (int k = 0; k < d; ++k) points.back().push_back(last[static_cast<std::size_t>(begin + k)][i]);
    }
  }
  return points;
}

std::vector<double> first_coordinate(const Points& points) {
  std::vector<double> x;
  for (const auto& p : points) x.push_back(p[0]);
  return x;
}

}  // namespace

void compare_laws(const Setting& s, int claim, const std::string& loss, const ensemble::Problem& p, Measured& m) {
  constexpr int kPermutations = 999;
  constexpr std::size_t kEnergyPoints = 512;  // of each sample: the distances are kept in memory
  const long paths = s.paths(std::lround(2048 / (s.margin * s.margin)));
  // Seeds of their own: independent samples.
  Points algorithm =
      sample(s, p, local_sgd(s, s.seed_of(claim, 201), kEta, 4, 0.4, 8), ensemble::discrete_algorithm(), paths);
  Points theory = sample(s, p, local_sgd(s, s.seed_of(claim, 202), kEta, 4, 0.4, 8), ensemble::slow_sde(), paths);
  const Points sgd = sample(s, p, local_sgd(s, s.seed_of(claim, 203), kEta, 1, 0.4, 8), ensemble::slow_sde(), paths);
  const double gradients = static_cast<double>(paths) * 4 * kTime / std::pow(kEta * s.eta, 2);
  m.gradients += gradients;
  const auto x = first_coordinate(algorithm), y = first_coordinate(theory), z = first_coordinate(sgd);
  const auto row_of = [&](const std::vector<double>& other, const std::string& quantity, bool control) {
    Row row;
    row.claim = claim;
    row.loss = loss;
    row.quantity = quantity;
    row.measured = stats::ks_distance(x, other);
    // Largest standard error of a difference of two empirical distribution functions.
    row.standard_error = 0.5 * std::sqrt(1 / static_cast<double>(x.size()) + 1 / static_cast<double>(other.size()));
    row.low = -kInfinity;
    row.high = 0.1 * s.margin;
    row.gradients = gradients;
    row.of = 2;  // the distance may be reached at two places
    row.scales = false;
    row.control = control;
    m.rows.push_back(row);
  };
  row_of(y, "law of x1: KS distance to the slow SDE's", false);
  row_of(z, "control: law of SGD's slow SDE", true);
  const auto ks = stats::ks_test(x, y, kPermutations, s.seed);
  algorithm.resize(std::min(algorithm.size(), kEnergyPoints));
  theory.resize(std::min(theory.size(), kEnergyPoints));
  const auto energy = stats::energy_test(algorithm, theory, kPermutations, s.seed);
  m.notes.push_back(fmt::format(
      "{}: same law at slow time 2? KS distance {:.3g} of x1, p = {:.3f} ({} paths each); energy distance {:.2g} in "
      "R^{}, "
      "p = {:.3f} ({} paths each); {} permutations",
      loss, ks.statistic, ks.p, x.size(), energy.statistic, p.model->dim(), energy.p, algorithm.size(), kPermutations));
}

}  // namespace sde::claims
