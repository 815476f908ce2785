#include "cases.hpp"

#include <cmath>
#include <stdexcept>

#include "../experiment/losses.hpp"

namespace sde::claims {

using slow::Vector;

namespace {

Noise constant(std::vector<double> factor, int rank) {
  Noise n;
  n.factor = std::move(factor);
  n.rank = rank;
  return n;
}
Noise label(double sigma2) {
  Noise n;
  n.sigma2 = sigma2;
  n.label_law = Law::two_point;
  return n;
}

ensemble::Problem make(std::shared_ptr<const LossModel> model, Noise noise, std::vector<double> start) {
  ensemble::Problem p;
  p.model = std::move(model);
  p.noise = std::move(noise);
  p.start = Eigen::Map<const Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.settle();
  p.start = p.start_on_gamma;
  return p;
}

}  // namespace

ensemble::Problem problem(const std::string& loss) {
  if (loss == "valley") return make(model_of(loss::Valley{}), constant({0.5, 0, 0, 1.4}, 2), {0.8, 0.0});
  if (loss == "hyperbola") return make(model_of(loss::Hyperbola{}), label(1), {2.0, 0.5});
  if (loss == "ring") return make(model_of(loss::Ring{0.5}), constant({0.8, 0.3, -0.2, 0.5}, 2), {0.0, 1.0});
  if (loss == "chain") return make(model_of(loss::Chain{3}), label(1), {1.6, 1.0, 0.625});
  if (loss == "sphere")
    return make(model_of(loss::Sphere{3}), constant({0.8, 0, 0, 0, 0.8, 0, 0, 0, 0.8}, 3), {1.0, 0.0, 0.0});
  if (loss == "flat")
    return make(model_of(loss::Flat(2, 4, 3)), constant(loss::normal_data(8, 1, 16), 4), {0.1, 0.2, -0.3, 0.4});
  if (loss == "diagonal_network")
    return make(model_of(loss::DiagonalNetwork(3, 5, 1, 5)), label(1), std::vector<double>(10, 0.6));
  throw std::logic_error("no case for " + loss);
}

verify::TestFunction slow_variable(const std::string& loss) {
  if (loss == "hyperbola")
    return {"x^2 - y^2", [](const Vector& x, slow::PointTerms&) { return x[0] * x[0] - x[1] * x[1]; }, {}};
  if (loss == "diagonal_network" || loss == "chain") return verify::sharpness();
  auto g = verify::coordinate(loss == "sphere" ? 1 : 0);
  return g;
}

discrete::LocalSgd local_sgd(const Setting& s, double eta, int workers, double alpha, int batch) {
  discrete::LocalSgd a{.workers = workers, .batch = batch, .seed = s.seed};
  a.rate.eta = eta;
  a.sync.H = workers == 1 ? 1 : std::max<long>(1, std::lround(alpha / eta));
  return a;
}

double relaxation(const ensemble::Problem& p, double eta) {
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  return 8 * eta / terms->normal_eigenvalues().minCoeff();
}

verify::Pairing stationary(const ensemble::Problem& p, const discrete::LocalSgd& a, double time, long paths) {
  verify::Pairing pairing;
  pairing.algorithm = a;
  pairing.predictions = {verify::theory(a)};
  pairing.times = {time};
  const double round = static_cast<double>(a.workers == 1 ? 1 : a.H(0)) * a.rate.eta * a.rate.eta;
  pairing.burn_in = round * std::ceil(relaxation(p, a.rate.eta) / round);
  pairing.paths = paths;
  return pairing;
}

verify::Prediction wrong(const verify::Pairing& pairing, const std::string& name) {
  auto w = pairing.predictions.front();
  w.name = name;
  return w;
}

Row gap_row(int claim, const std::string& loss, const std::string& quantity, const verify::PairedResult& r,
            std::size_t p, std::size_t q, double scale, double half) {
  const std::size_t t = r.slow_time.size() - 1;
  const auto& gap = r.gap[p][t][q];
  Row row;
  row.claim = claim;
  row.loss = loss;
  row.quantity = quantity;
  row.measured = r.increment[t][q].mean / scale;
  row.predicted = row.measured - gap.mean / scale;
  row.standard_error = gap.standard_error() / std::abs(scale);
  row.low = -half;
  row.high = half;
  row.step_error = r.step_error[p][t][q].mean / scale;
  row.gradients = r.gradients;
  return row;
}

}  // namespace sde::claims
