#include "law.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sde/stats/two_sample.hpp"

namespace sde::claims {

namespace {

using Points = std::vector<std::vector<double>>;  // [path][coordinate]

/// Of the algorithm (`workers` = 1: SGD), or of the equation in its place.
Points sample(const Setting& s, const Case& c, const ensemble::Dynamics& dynamics, int workers, std::uint64_t seed,
              long paths) {
  const auto& p = c.problem;
  const auto& design = c.designs.weak_error;
  const int d = p.model->dim();
  ensemble::Observation observation;
  observation.times = {0, design.law_time};
  for (int k = 0; k < d; ++k)
    observation.polynomials.push_back(ensemble::Polynomial::parse(fmt::format("x{}", k + 1), d));
  ensemble::Method method;
  method.dynamics = &dynamics;
  method.algorithm = local_sgd(s, seed, design.law_eta, workers, design.alpha, design.batch);
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

void compare_laws(const Setting& s, int claim, const Case& c, Measured& m) {
  const auto& design = c.designs.weak_error;
  constexpr int kPermutations = 999;
  constexpr std::size_t kEnergyPoints = 512;  // of each sample: the distances are kept in memory
  const long paths = s.paths(std::lround(static_cast<double>(design.law_paths) / (s.margin * s.margin)));
  // Seeds of their own: independent samples.
  Points algorithm = sample(s, c, ensemble::discrete_algorithm(), design.workers, s.seed_of(claim, 201), paths);
  Points theory = sample(s, c, ensemble::slow_sde(), design.workers, s.seed_of(claim, 202), paths);
  const Points sgd = sample(s, c, ensemble::slow_sde(), 1, s.seed_of(claim, 203), paths);
  const double gradients =
      static_cast<double>(paths) * design.workers * design.law_time / std::pow(design.law_eta * s.eta, 2);
  m.gradients += gradients;
  const auto x = first_coordinate(algorithm), y = first_coordinate(theory), z = first_coordinate(sgd);
  const auto row_of = [&](const std::vector<double>& other, const std::string& quantity, bool control) {
    Row row;
    row.claim = claim;
    row.name = c.name;
    row.quantity = quantity;
    row.measured = stats::ks_distance(x, other);
    // Largest standard error of a difference of two empirical distribution functions.
    row.standard_error = 0.5 * std::sqrt(1 / static_cast<double>(x.size()) + 1 / static_cast<double>(other.size()));
    row.low = -kInfinity;
    row.high = design.law_margin * s.margin;
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
      "{}: same law at slow time {}? KS distance {:.3g} of x1, p = {:.3f} ({} paths each); energy distance {:.2g} in "
      "R^{}, "
      "p = {:.3f} ({} paths each); {} permutations",
      c.name, design.law_time, ks.statistic, ks.p, x.size(), energy.statistic, c.problem.model->dim(), energy.p,
      algorithm.size(), kPermutations));
}

}  // namespace sde::claims
