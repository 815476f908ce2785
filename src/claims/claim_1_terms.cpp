#include "measuring.hpp"
#include "sde/loss/data.hpp"
#include "sde/manifold/second_derivative.hpp"
#include "without_tangent_normal.hpp"

namespace sde::claims {

namespace {

Measured measure(const Setting& s, const Case& c) {
  auto p = c.problem;
  const int d = p.model->dim();
  p.noise = {};
  p.noise.rank = d;
  p.noise.factor = loss::normal_data(s.seed, 50, d * d);
  manifold::FlowMap flow(*p.model);
  Vector measured = Vector::Zero(d), error = Vector::Zero(d);
  for (int k = 0; k < d; ++k) {
    const auto second = manifold::second_derivative(flow, p.start_on_gamma,
                                                    Eigen::Map<const Vector>(&p.noise.factor[std::size_t(k * d)], d));
    measured += 0.5 * second.value;
    error += 0.5 * second.error;
  }
  const auto predict = [&](const Noise& noise) -> Vector {
    p.noise = noise;
    const auto terms = p.terms();
    terms->compute(p.start_on_gamma.data());
    return terms->contraction(slow::Term::drift_1, {.batch = 1}) + terms->ito_normal(1);
  };
  const Noise full = p.noise;
  const Vector predicted = predict(full);
  const double scale = std::max(predicted.norm(), 1e-3);  // flat: the prediction is 0
  Row row;
  row.claim = 1;
  row.name = c.name;
  row.quantity = "|1/2 d2Phi[Sigma] - drift-I - Ito| / |drift-I + Ito|";
  row.measured = (measured - predicted).norm() / scale;
  row.high = c.designs.identity_margin * s.margin;
  row.low = -row.high;
  row.step_error = error.norm() / scale;
  Measured m;
  m.rows.push_back(row);
  if (predicted.norm() < 1e-3) return m;
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const Vector dropped = predict(without_tangent_normal(full, *terms, d));
  if ((dropped - predicted).norm() < 1e-6 * scale) return m;  // valley: they have no part in the drift
  row.quantity = "control: tangent-normal blocks of Sigma dropped";
  row.measured = (measured - dropped).norm() / scale;
  row.control = true;
  m.rows.push_back(row);
  return m;
}

}  // namespace

Claim on_manifold_terms() {
  return {1,
          "On-manifold terms: the closed form equals numerical derivatives of Phi",
          "section 3, the identity for 1/2 d2Phi[Sigma]; Li, Wang, Arora 2022",
          "1/2 d2Phi[Sigma] for a random full Sigma, by differences of the flow map",
          "1e-5 relative",
          "",
          measure};
}

}  // namespace sde::claims
