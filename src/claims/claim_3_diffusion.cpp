#include <fmt/format.h>

#include "cases.hpp"

namespace sde::claims {

namespace {

Measured measure(const Setting& s, const std::string& loss) {
  const auto p = problem(loss);
  constexpr double kTime = 0.1, kEta = 0.005;
  constexpr int kBatch = 8;
  struct Case {
    int workers;
    double alpha;
  };
  Measured m;
  for (const auto [K, alpha] : {Case{1, 0}, Case{2, 0.05}, Case{8, 0.5}, Case{8, 2}}) {
    verify::Pairing pairing;
    pairing.algorithm = local_sgd(s, kEta, K, alpha, kBatch);
    pairing.predictions = {verify::theory(pairing.algorithm)};
    pairing.times = {kTime};
    pairing.paths = s.paths(1024);
    pairing.functions = {along_noise(p, 2)};
    if (K > 1) {
      auto wrong = pairing.predictions.front();
      wrong.name = "local batch";
      wrong.parameters.batch = kBatch / K;
      pairing.predictions.push_back(wrong);
    }
    const auto r = verify::run_paired(p, pairing, s.control);
    const double scale = r.drift[0].back()[0].mean;
    const auto name = K == 1 ? std::string("SGD") : fmt::format("K = {}, alpha = {}", K, alpha);
    m.rows.push_back(gap_row(3, loss, "variance / slow SDE's, " + name, r, 0, 0, scale, 0.05 * s.margin));
    if (K == 1) continue;
    auto control = gap_row(3, loss, "control: B_loc for B, " + name, r, 1, 0, scale, 0.05 * s.margin);
    control.control = true;
    m.rows.push_back(control);
  }
  return m;
}

}  // namespace

Claim diffusion() {
  return {3,
          "Diffusion: the covariance per slow time is Sigma_par/B, whatever H and K at fixed B",
          "theorem of section 3, term (a)",
          "second moment of Phi's increment along the direction of most noise, over slow time 0.1",
          "0.05 relative",
          {"valley", "ring", "sphere", "flat"},
          "label noise has no tangent block: Sigma_par = 0, the slow SDE is an ODE",
          measure};
}

}  // namespace sde::claims
