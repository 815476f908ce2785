#include "cases.hpp"
#include "sde/stats/fit.hpp"

namespace sde::claims {

namespace {

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  Measured m;
  std::vector<double> eta, distance, error;
  double gradients = 0;
  for (const double e : {0.04, 0.02, 0.01, 0.005, 0.0025}) {
    auto pairing = stationary(p, local_sgd(s, e, 4, 0.4, 8), 0.05, s.paths(1024));
    const auto r = verify::run_paired(p, pairing, s.control);
    eta.push_back(pairing.algorithm.rate.eta);
    distance.push_back(r.distance.back().mean);
    error.push_back(r.distance.back().standard_error());
    gradients += r.gradients;
    m.points.push_back({loss, eta.back(), distance.back(), error.back()});
  }
  const auto line = stats::fit_order(eta, distance, error);
  Row row;
  row.claim = 5;
  row.loss = loss;
  row.quantity = "order of E|avg - Phi(avg)| in eta";
  row.measured = line.slope;
  row.predicted = 0.5;
  row.standard_error = line.slope_error;
  row.high = 0.1 * s.margin;
  row.low = -row.high;
  row.gradients = gradients;
  m.rows.push_back(row);
  return m;
}

}  // namespace

Claim distance() {
  return {5,
          "Distance: |avg - Phi(avg)| scales like sqrt(eta) at fixed alpha, up to the logarithm",
          "theorem of section 3, second part",
          "fitted order of the mean distance at five learning rates over a factor of 16, alpha = 0.4, K = 4",
          "0.1 of the order",
          {"valley", "hyperbola", "ring", "diagonal_network"},
          "measured on four losses with different noises; for the others the statement is the same",
          measure};
}

}  // namespace sde::claims
