#include "measuring.hpp"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

#include "sde/ensemble/terms_at_start.hpp"

namespace sde::claims {

slow::Matrix noise_directions(const ensemble::Problem& p) {
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const Eigen::JacobiSVD<slow::Matrix> svd(terms->tangent_noise(), Eigen::ComputeThinU);
  Eigen::Index rank = 0;
  while (rank < svd.singularValues().size() && svd.singularValues()[rank] > 1e-9 * svd.singularValues()[0]) ++rank;
  return svd.matrixU().leftCols(rank);
}

verify::TestFunction along(const Vector& u, const Vector& centre) {
  return {.name = "u.(x - c)", .u = u, .centre = centre};
}

verify::TestFunction product_along(const Vector& u, const Vector& w, const Vector& centre) {
  return {.name = "(u.(x - c))(w.(x - c))", .u = u, .w = w, .centre = centre};
}

discrete::Algorithm local_sgd(const Setting& s, std::uint64_t seed, double eta, int workers, double alpha, int batch) {
  discrete::Algorithm a;
  a.workers = workers;
  a.batch = batch;
  a.seed = seed;
  a.rate.eta = eta * s.eta;
  a.sync.H = std::max<long>(1, std::lround(alpha / a.rate.eta));
  return a;
}

verify::PairedResult paired(const Setting& s, Measured& m, const Case& c, const verify::Pairing& pairing) {
  auto r = verify::run_paired(c.problem, pairing, s.control);
  m.gradients += r.gradients;
  return r;
}

double gradients_of(const verify::Pairing& p) {
  return static_cast<double>(p.paths) * p.algorithm.workers * (p.burn_in + p.times.back()) /
         p.algorithm.slow_time(p.algorithm.rate.eta);
}

verify::Pairing stationary(const Case& c, const discrete::Algorithm& a, double time, double dt, long paths) {
  verify::Pairing pairing;
  pairing.algorithm = a;
  pairing.predictions = {verify::theory(a, c.factors)};
  pairing.times = {time};
  pairing.dt = dt;
  pairing.paths = paths;
  const double round = static_cast<double>(a.steps_in_round()) * a.slow_time(a.rate.eta);
  const double effective = a.rate.eta * std::sqrt(a.type->slow_time_factor(a));
  const double settled = 8 * effective / ensemble::terms_at_start(c.problem, a)->normal_eigenvalues().minCoeff();
  pairing.burn_in = round * std::ceil(std::min(settled, c.most_burn_in) / round);
  return pairing;
}

verify::Prediction sgd_prediction(const verify::Pairing& pairing) {
  auto p = pairing.predictions.front();
  p.name = "slow SDE of SGD";
  p.parameters.workers = 1;
  return p;
}

verify::Prediction limit_prediction(const verify::Pairing& pairing) {
  auto p = pairing.predictions.front();
  p.name = "QSR limit";
  p.parameters.alpha = kInfinity;
  return p;
}

Row gap_row(int claim, const Case& c, const std::string& quantity, const verify::PairedResult& r, std::size_t p,
            std::size_t q, double scale, double half) {
  const auto& gap = r.gap[p].back()[q];
  Row row;
  row.claim = claim;
  row.name = c.name;
  row.quantity = quantity;
  row.measured = r.increment.back()[q].mean / scale;
  row.predicted = row.measured - gap.mean / scale;
  row.standard_error = gap.standard_error() / std::abs(scale);
  row.low = -half;
  row.high = half;
  row.step_error = std::abs(r.step_error[p].back()[q].mean / scale);
  row.gradients = r.gradients;
  row.lost = static_cast<double>(r.lost) / static_cast<double>(r.paths);
  return row;
}

bool apart(Measured& m, const std::string& quantity, double distance, double half) {
  if (distance > 2 * half) return true;
  m.skipped.push_back(
      {quantity, fmt::format("its prediction lies {:.2g} from the theory's, the margin is +- {:.2g}", distance, half)});
  return false;
}

bool apart(Measured& m, const std::string& quantity, const verify::PairedResult& r, std::size_t p, std::size_t q,
           double scale, double half) {
  return apart(m, quantity, std::abs((r.drift[p].back()[q].mean - r.drift[0].back()[q].mean) / scale), half);
}

std::string range(const std::string& name, const std::vector<double>& values) {
  if (values.size() == 1) return fmt::format("{} = {:.3g}", name, values[0]);
  return fmt::format("{} {:.3g} .. {:.3g}", name, values.front(), values.back());
}

Row worst(const std::vector<Row>& rows, const std::string& quantity) {
  const auto harder = [](const Row& a, const Row& b) {
    const double p = stats::equivalence_p(a.judged()), q = stats::equivalence_p(b.judged());
    return p != q ? p < q : std::abs(a.difference()) / a.high < std::abs(b.difference()) / b.high;
  };
  Row row = *std::max_element(rows.begin(), rows.end(), harder);
  row.quantity = quantity;
  row.of = static_cast<int>(rows.size());
  row.gradients = 0;
  for (const auto& r : rows) row.gradients += r.gradients;
  return row;
}

}  // namespace sde::claims
