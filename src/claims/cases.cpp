#include "cases.hpp"

#include <Eigen/SVD>
#include <algorithm>
#include <stdexcept>

#include "../modules/models.hpp"
#include "sde/ensemble/settled.hpp"

namespace sde::claims {

using ensemble::settled_problem;

namespace {

Noise constant(std::vector<double> factor, int rank) {
  Noise n;
  n.factor = std::move(factor);
  n.rank = rank;
  return n;
}
/// Of squared losses with one sample per draw: Sigma = sigma^2 Hess on Gamma.
Noise label(double sigma2) {
  Noise n;
  n.sigma2 = sigma2;
  n.label_law = Law::two_point;
  n.sampling = Sampling::with_replacement;
  return n;
}

double H_of(const discrete::Algorithm& a) { return static_cast<double>(a.steps_in_round()); }

}  // namespace

ensemble::Problem problem(const std::string& loss) {
  if (loss == "valley") return settled_problem(model_of(loss::Valley{}), constant({0.5, 0, 0, 1.4}, 2), {0.8, 0.0});
  if (loss == "hyperbola") return settled_problem(model_of(loss::Hyperbola{}), label(1), {2.0, 0.5});
  if (loss == "ring") return settled_problem(model_of(loss::Ring{0.5}), constant({0.5, 1.0, -0.1, 0.6}, 2), {0.0, 1.0});
  if (loss == "chain") return settled_problem(model_of(loss::Chain{3}), label(1), {1.6, 1.0, 0.625});
  if (loss == "sphere")
    return settled_problem(model_of(loss::Sphere{3}), constant({0.8, 0, 0, 0, 0.8, 0, 0, 0, 0.8}, 3), {1.0, 0.0, 0.0});
  if (loss == "flat")
    return settled_problem(model_of(loss::Flat(2, 4, 3)), constant(loss::normal_data(8, 1, 16), 4),
                           {0.1, 0.2, -0.3, 0.4});
  if (loss == "diagonal_network")
    return settled_problem(model_of(loss::DiagonalNetwork(3, 5, 1, 5)), label(1), std::vector<double>(10, 0.6));
  if (loss == "tanh_network")
    return settled_problem(model_of(loss::TanhNetwork(3, 2, 3, 1, 5)), label(1),
                           {0.9, -0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7, -0.4});
  if (loss == "matrix_sensing")
    return settled_problem(model_of(loss::MatrixSensing(3, 3, 2, 1, 5)), label(1), {0.9, 0.5, 0.4, -0.6, 0.8, 0.5});
  throw std::logic_error("no case for " + loss);
}

verify::TestFunction slow_variable(const std::string& loss) {
  if (loss == "hyperbola") return {.name = "x1^2 - x2^2", .u = Eigen::Vector2d(1, -1), .w = Eigen::Vector2d(1, 1)};
  if (loss == "diagonal_network" || loss == "chain") return verify::sharpness();
  return verify::coordinate(loss == "sphere" ? 1 : 0);
}

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

verify::PairedResult paired(const Setting& s, Measured& m, const ensemble::Problem& p, const verify::Pairing& pairing) {
  auto r = verify::run_paired(p, pairing, s.control);
  m.gradients += r.gradients;
  return r;
}

verify::Pairing stationary(const ensemble::Problem& p, const discrete::Algorithm& a, double time, long paths) {
  verify::Pairing pairing;
  pairing.algorithm = a;
  pairing.predictions = {verify::theory(a)};
  pairing.times = {time};
  pairing.paths = paths;
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const double round = H_of(a) * a.rate.eta * a.rate.eta;
  pairing.burn_in = round * std::ceil(8 * a.rate.eta / terms->normal_eigenvalues().minCoeff() / round);
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

Row gap_row(int claim, const std::string& loss, const std::string& quantity, const verify::PairedResult& r,
            std::size_t p, std::size_t q, double scale, double half) {
  const auto& gap = r.gap[p].back()[q];
  Row row;
  row.claim = claim;
  row.loss = loss;
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
