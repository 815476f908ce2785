#include "cases.hpp"

namespace sde::claims {

namespace {

/// Local SGD with eta, K, B and H; compared after a fixed number of samples, so at slow time proportional to B.
struct Design {
  double eta;
  int workers, batch;
  long H;
};

/// t/B = (eta/B)^2 samples: whole rounds and whole SDE steps for every design.
constexpr double kTimeOverBatch = 0.05;

verify::PairedResult run_design(const Setting& s, Measured& m, const std::string& loss, const ensemble::Problem& p,
                                const Design& d, int run) {
  auto a = local_sgd(s, s.seed_of(9, run), d.eta, d.workers, 0, d.batch);
  if (d.workers > 1) a.sync.H = std::max<long>(1, std::lround(static_cast<double>(d.H) / s.eta));
  auto pairing = stationary(p, a, kTimeOverBatch * d.batch, s.paths(2048));
  pairing.dt = 0.001 * d.batch;  // the same number of steps of the SDE
  pairing.functions = {slow_variable(loss)};
  if (p.noise.rank > 0) {
    const Vector u = noise_directions(p).col(0);
    pairing.functions.push_back(product_along(u, u, p.start_on_gamma));
  }
  return paired(s, m, p, pairing);
}

/// Ratio of the mean increments of function q after the same number of samples. Where both have the same slow SDE (per
/// sample), its mean is known from both and only the gaps to it are noisy; a control has the increments themselves.
Row ratio(const Setting& s, const std::string& loss, const verify::PairedResult& first,
          const verify::PairedResult& second, std::size_t q, const std::string& name, bool control) {
  const auto &a = first.increment.back()[q], &b = second.increment.back()[q];
  const auto &ga = first.gap[0].back()[q], &gb = second.gap[0].back()[q];
  const double slow = 0.5 * (first.drift[0].back()[q].mean + second.drift[0].back()[q].mean);
  Row row;
  row.claim = 9;
  row.loss = loss;
  row.quantity = name;
  row.control = control;
  row.predicted = 1;
  row.measured = control ? b.mean / a.mean : (slow + gb.mean) / (slow + ga.mean);
  row.standard_error = control ? row.measured * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean)
                               : std::hypot(ga.standard_error(), gb.standard_error()) / std::abs(slow);
  row.high = 0.03 * s.margin;
  row.low = -row.high;
  row.gradients = first.gradients + second.gradients;
  row.lost = static_cast<double>(first.lost + second.lost) / static_cast<double>(first.paths + second.paths);
  return row;
}

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  Measured m;
  int run = 0;
  const auto add = [&](const verify::PairedResult& first, const Design& other, const std::string& name, bool control) {
    const auto second = run_design(s, m, loss, p, other, ++run);
    m.rows.push_back(ratio(s, loss, first, second, 0, name, control));
    if (!control && p.noise.rank > 0)
      m.rows.push_back(ratio(s, loss, first, second, 1, name + ", second moment", false));
  };
  const auto sgd = run_design(s, m, loss, p, {0.0025, 1, 4, 1}, ++run);
  add(sgd, {0.005, 1, 8, 1}, "SGD: (eta, B) -> 2 (eta, B)", false);
  const auto local = run_design(s, m, loss, p, {0.005, 4, 4, 40}, ++run);
  add(local, {0.01, 4, 8, 20}, "Local SGD: B_loc -> 2 B_loc, H -> H/2, K kept", false);
  add(local, {0.01, 8, 8, 20}, "control: K -> 2 K, B_loc kept, H -> H/2", true);
  add(local, {0.01, 4, 8, 40}, "control: B_loc -> 2 B_loc, H kept", true);
  return m;
}

}  // namespace

Claim linear_scaling() {
  return {
      9,
      "Linear scaling: (eta, B) -> kappa (eta, B) keeps SGD's slow law per sample; Local SGD keeps its own with K "
      "fixed, B_loc -> kappa B_loc and H -> H/kappa (alpha fixed)",
      "section 3: the SDE depends on t/B = (eta/B)^2 samples, on K and on alpha alone",
      "ratio of the mean increments of the slow variable after the same number of samples, kappa = 2; with diffusion "
      "also of the second moment",
      "0.03 relative",
      {"valley", "hyperbola", "ring"},
      "not measured: for the others the statement is the same",
      measure};
}

}  // namespace sde::claims
