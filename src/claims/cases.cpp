#include "cases.hpp"

#include <map>
#include <stdexcept>

#include "../modules/models.hpp"
#include "sde/ensemble/make_problem.hpp"

namespace sde::claims {

using ensemble::problem_on_gamma;

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

std::vector<verify::TestFunction> functions_of(int coordinates) {
  std::vector<verify::TestFunction> g;
  for (int k = 0; k < coordinates; ++k)
    for (const auto make : {verify::coordinate, verify::square, verify::bounded}) g.push_back(make(k));
  g.push_back(verify::sharpness());
  return g;
}

Case case_of(const std::string& name, ensemble::Problem problem, verify::TestFunction slow_variable) {
  Case c;
  c.name = name;
  c.start = problem.start;
  c.problem = std::move(problem);
  c.slow_variable = std::move(slow_variable);
  c.functions = functions_of(2);
  c.diffuses = c.problem.noise.rank > 0;  // label noise leaves the SDE without noise of its own
  if (!c.diffuses) c.designs.weak_error.paths = 512;
  return c;
}

/// Local SGD is SGD there: claim 13 shows it over a longer time with more workers.
void without_additional_drift(Case& c) {
  c.additional_drift = false;
  auto& d = c.designs.controls;
  d.workers = 8;
  d.time = 0.5;
  d.paths = 1024;
}

// Claim 2: the error of the theory is about eta lambda/2 of the whole drift, so K/(K-1) times that of drift-II: rates
// by lambda. The ring, whose differences have the most noise, leaves K = 2 and the longest rounds out.
const std::vector<double> kAllAlpha{0.01, 0.03, 0.1, 0.3, 1, 3, 10};
void drift_grid(Case& c, std::vector<int> workers, std::vector<double> alpha, std::vector<double> eta, long paths) {
  auto& d = c.designs.drift;
  d.workers = std::move(workers);
  d.alpha = std::move(alpha);
  d.eta = std::move(eta);
  d.batch = 32;
  d.paths = paths;
}

Case valley(const std::string& name) {
  auto c = case_of(name, problem_on_gamma(model_of(loss::Valley{}), constant({0.5, 0, 0, 1.4}, 2), {0.8, 0.0}),
                   verify::coordinate(0));  // tangent to Gamma at the start, as on the ring
  c.one_argument = true;
  drift_grid(c, {1, 2, 4, 8, 16, 32}, kAllAlpha, {0.005, 0.0035}, 2560);
  return c;
}
Case hyperbola(const std::string& name) {
  auto c = case_of(name, problem_on_gamma(model_of(loss::Hyperbola{}), label(1), {2.0, 0.5}),
                   {.name = "x1^2 - x2^2", .u = Eigen::Vector2d(1, -1), .w = Eigen::Vector2d(1, 1)});
  c.one_argument = true;
  drift_grid(c, {1, 2, 4, 8, 16, 32}, kAllAlpha, {0.0035, 0.003, 0.0025}, 128);
  return c;
}
Case ring(const std::string& name) {
  auto c = case_of(name, problem_on_gamma(model_of(loss::Ring{0.5}), constant({0.5, 1.0, -0.1, 0.6}, 2), {0.0, 1.0}),
                   verify::coordinate(0));
  c.tangent_normal = true;
  drift_grid(c, {1, 4, 8, 16, 32}, {0.01, 0.1, 0.3, 1, 3}, {0.003, 0.002}, 1792);
  return c;
}
Case chain(const std::string& name) {
  return case_of(name, problem_on_gamma(model_of(loss::Chain{3}), label(1), {1.6, 1.0, 0.625}), verify::sharpness());
}
Case sphere(const std::string& name) {
  auto c = case_of(
      name,
      problem_on_gamma(model_of(loss::Sphere{3}), constant({0.8, 0, 0, 0, 0.8, 0, 0, 0, 0.8}, 3), {1.0, 0.0, 0.0}),
      verify::coordinate(1));
  without_additional_drift(c);
  // docs/theory.md, section 7: Brownian motion
  c.variance = {[](double rate, double t) { return (1 - std::exp(-3.0 * rate * t)) / 3.0; }, 0.01};
  return c;
}
Case flat(const std::string& name) {
  auto c = case_of(
      name,
      problem_on_gamma(model_of(loss::Flat(2, 4, 3)), constant(loss::normal_data(8, 1, 16), 4), {0.1, 0.2, -0.3, 0.4}),
      verify::coordinate(0));
  without_additional_drift(c);
  c.variance = {[](double rate, double t) { return rate * t; }, 0.02};
  return c;
}
Case diagonal_network(const std::string& name) {
  auto c = case_of(
      name, problem_on_gamma(model_of(loss::DiagonalNetwork(3, 5, 1, 5)), label(1), std::vector<double>(10, 0.6)),
      verify::sharpness());
  c.functions = functions_of(1);
  return c;
}
Case tanh_network(const std::string& name) {
  return case_of(name,
                 problem_on_gamma(model_of(loss::TanhNetwork(3, 2, 3, 1, 5)), label(1),
                                  {0.9, -0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7, -0.4}),
                 verify::sharpness());
}
Case matrix_sensing(const std::string& name) {
  return case_of(
      name, problem_on_gamma(model_of(loss::MatrixSensing(3, 3, 2, 1, 5)), label(1), {0.9, 0.5, 0.4, -0.6, 0.8, 0.5}),
      verify::sharpness());
}

const std::map<std::string, Case (*)(const std::string&)> kCases{
    {"valley", valley},
    {"hyperbola", hyperbola},
    {"ring", ring},
    {"chain", chain},
    {"sphere", sphere},
    {"flat", flat},
    {"diagonal_network", diagonal_network},
    {"tanh_network", tanh_network},
    {"matrix_sensing", matrix_sensing},
};

}  // namespace

const std::vector<std::string>& shipped_names(int claim) {
  static const std::map<int, std::vector<std::string>> table{
      {1,
       {"valley", "hyperbola", "chain", "sphere", "ring", "flat", "diagonal_network", "tanh_network",
        "matrix_sensing"}},
      {2, {"valley", "hyperbola", "ring", "diagonal_network"}},
      {3, {"valley", "ring", "sphere", "flat"}},
      {4, {"valley", "hyperbola", "ring", "diagonal_network"}},
      {5, {"valley", "hyperbola", "ring", "diagonal_network"}},
      {6, {"valley", "hyperbola", "ring"}},
      {7, {"hyperbola", "chain", "diagonal_network"}},
      {8, {"valley", "hyperbola", "ring"}},
      {9, {"valley", "hyperbola", "ring"}},
      {13, {"sphere", "flat", "valley", "ring", "hyperbola"}},
      {14, {"ring", "valley", "hyperbola", "diagonal_network"}},
  };
  static const std::vector<std::string> none;
  const auto found = table.find(claim);
  return found == table.end() ? none : found->second;
}

std::shared_ptr<const Case> shipped_case(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const Case>> made;
  auto& c = made[name];
  if (c) return c;
  const auto entry = kCases.find(name);
  if (entry == kCases.end()) throw std::logic_error("no case named " + name);
  return c = std::make_shared<const Case>(entry->second(name));
}

}  // namespace sde::claims
