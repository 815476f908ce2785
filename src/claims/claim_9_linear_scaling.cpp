#include <fmt/format.h>

#include "cases.hpp"

namespace sde::claims {

namespace {

/// Local SGD with eta, K, B and H; compared after a fixed number of samples, so at slow time proportional to B.
struct Design {
  double eta;
  int workers, batch;
  long H;
};

verify::PairedResult run_design(const Setting& s, const std::string& loss, const ensemble::Problem& p, const Design& d,
                                double time_over_batch, std::uint64_t seed) {
  discrete::LocalSgd a;
  a.workers = d.workers;
  a.batch = d.batch;
  a.seed = seed;
  a.rate.eta = d.eta * s.eta;
  a.sync.H = d.workers == 1 ? 1 : std::max<long>(1, std::lround(static_cast<double>(d.H) / s.eta));
  auto pairing = stationary(p, a, time_over_batch * d.batch, s.paths(4096));
  pairing.dt = 0.001 * d.batch;  // the same number of steps of the SDE
  pairing.functions = {slow_variable(loss)};
  return verify::run_paired(p, pairing, s.control);
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  constexpr double kTime = 0.05;  // t/B = (eta/B)^2 samples
  Measured m;
  std::uint64_t seed = s.seed;
  const auto compare = [&](const Design& base, const verify::PairedResult& first, const Design& other,
                           const std::string& name, bool control) {
    const auto second = run_design(s, loss, p, other, kTime, ++seed);
    const auto &a = first.increment.back()[0], &b = second.increment.back()[0];
    // Rounds end at slightly different numbers of samples.
    const double samples = second.slow_time.back() / other.batch / (first.slow_time.back() / base.batch);
    Row row;
    row.claim = 9;
    row.loss = loss;
    row.quantity = name;
    row.measured = b.mean / a.mean / samples;
    row.predicted = 1;
    row.standard_error = std::abs(row.measured) * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean);
    row.high = 0.03 * s.margin;
    row.low = -row.high;
    row.step_error = std::abs(second.step_error[0].back()[0].mean / a.mean);
    row.gradients = first.gradients + second.gradients;
    row.control = control;
    m.rows.push_back(row);
  };
  const Design sgd{0.005, 1, 4, 1};
  const auto sgd_run = run_design(s, loss, p, sgd, kTime, seed);
  compare(sgd, sgd_run, {0.01, 1, 8, 1}, "SGD: (eta, B) -> 2 (eta, B), drift per sample", false);
  const Design local{0.005, 4, 4, 40};
  const auto local_run = run_design(s, loss, p, local, kTime, ++seed);
  compare(local, local_run, {0.01, 4, 8, 20}, "Local SGD: B_loc -> 2 B_loc, H -> H/2, K kept", false);
  compare(local, local_run, {0.01, 8, 8, 20}, "control: K -> 2 K, B_loc kept, H -> H/2", true);
  compare(local, local_run, {0.01, 4, 8, 40}, "control: B_loc -> 2 B_loc, H kept", true);
  return m;
}

}  // namespace

Claim linear_scaling() {
  return {9,
          "Linear scaling: (eta, B) -> kappa (eta, B) keeps SGD's slow law per sample; Local SGD keeps its own with K "
          "fixed, B_loc -> kappa B_loc and H -> H/kappa (alpha fixed)",
          "section 3: the SDE depends on t/B = (eta/B)^2 samples, on K and on alpha alone",
          "ratio of the mean increments of the slow variable after the same number of samples, kappa = 2",
          "0.03 relative",
          {"valley", "hyperbola", "ring"},
          "measured on three losses with one, one and two arguments of psi",
          measure};
}

}  // namespace sde::claims
