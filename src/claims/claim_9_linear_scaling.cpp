#include "measuring.hpp"

namespace sde::claims {

namespace {

/// Local SGD with eta, K, B and H.
struct Algorithm {
  double eta;
  int workers, batch;
  long H;
};

verify::PairedResult run_for_samples(const Setting& s, Measured& m, const Case& c, const Algorithm& d, int run) {
  const auto& design = c.designs.linear_scaling;
  auto a = local_sgd(s, s.seed_of(9, run), d.eta, d.workers, 0, d.batch);
  if (d.workers > 1) a.sync.H = std::max<long>(1, std::lround(static_cast<double>(d.H) / s.eta));
  // dt: the same number of steps of the SDE
  auto pairing =
      stationary(c, a, design.time_over_batch * d.batch, design.dt_over_batch * d.batch, s.paths(design.paths));
  pairing.functions = {c.slow_variable};
  if (c.diffuses) {
    const Vector u = noise_directions(c.problem).col(0);
    pairing.functions.push_back(product_along(u, u, c.problem.start_on_gamma));
  }
  return paired(s, m, c, pairing);
}

/// Ratio of the mean increments of function q after the same number of samples. Where both have the same slow SDE (per
/// sample), its mean is known from both and only the gaps to it are noisy; a control has the increments themselves.
Row ratio(const Setting& s, const Case& c, const verify::PairedResult& first, const verify::PairedResult& second,
          std::size_t q, const std::string& name, bool control) {
  const auto &a = first.increment.back()[q], &b = second.increment.back()[q];
  const auto &ga = first.gap[0].back()[q], &gb = second.gap[0].back()[q];
  const double slow = 0.5 * (first.drift[0].back()[q].mean + second.drift[0].back()[q].mean);
  Row row;
  row.claim = 9;
  row.name = c.name;
  row.quantity = name;
  row.control = control;
  row.predicted = 1;
  row.measured = control ? b.mean / a.mean : (slow + gb.mean) / (slow + ga.mean);
  row.standard_error = control ? row.measured * std::hypot(a.standard_error() / a.mean, b.standard_error() / b.mean)
                               : std::hypot(ga.standard_error(), gb.standard_error()) / std::abs(slow);
  row.high = c.designs.linear_scaling.margin * s.margin;
  row.low = -row.high;
  row.gradients = first.gradients + second.gradients;
  row.lost = static_cast<double>(first.lost + second.lost) / static_cast<double>(first.paths + second.paths);
  return row;
}

Measured measure(const Setting& s, const Case& c) {
  const auto& d = c.designs.linear_scaling;
  Measured m;
  int run = 0;
  const auto same = [&](const verify::PairedResult& first, const Algorithm& other, const std::string& name) {
    const auto second = run_for_samples(s, m, c, other, ++run);
    m.rows.push_back(ratio(s, c, first, second, 0, name, false));
    if (c.diffuses) m.rows.push_back(ratio(s, c, first, second, 1, name + ", second moment", false));
  };
  const auto control = [&](const verify::PairedResult& first, const Algorithm& other, const std::string& name) {
    const auto second = run_for_samples(s, m, c, other, ++run);
    const Row row = ratio(s, c, first, second, 0, name, true);
    const double slow = second.drift[0].back()[0].mean / first.drift[0].back()[0].mean;
    if (apart(m, name, std::abs(slow - 1), row.high)) m.rows.push_back(row);
  };
  if (d.sgd) {
    const auto sgd = run_for_samples(s, m, c, {d.sgd_eta, 1, d.sgd_batch, 1}, ++run);
    same(sgd, {2 * d.sgd_eta, 1, 2 * d.sgd_batch, 1}, "SGD: (eta, B) -> 2 (eta, B)");
  }
  if (d.local) {
    const auto local = run_for_samples(s, m, c, {d.eta, d.workers, d.batch, d.H}, ++run);
    const double eta = 2 * d.eta;
    const int B = 2 * d.batch;
    same(local, {eta, d.workers, B, d.H / 2}, "Local SGD: B_loc -> 2 B_loc, H -> H/2, K kept");
    control(local, {eta, 2 * d.workers, B, d.H / 2}, "control: K -> 2 K, B_loc kept, H -> H/2");
    control(local, {eta, d.workers, B, d.H}, "control: B_loc -> 2 B_loc, H kept");
  }
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
      "not measured: for the others the statement is the same",
      measure};
}

}  // namespace sde::claims
