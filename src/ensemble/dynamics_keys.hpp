// Keys that several dynamics ask for.
#pragma once

#include "sde/core/error.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::ensemble {

inline void read_integrator(Keys& keys, Method& m) {
  const auto chosen = keys.choice({"integrator", "increments of an SDE: Gaussian, or +-1 (same weak order)"},
                                  "euler_maruyama", {"euler_maruyama", "weak_euler"});
  m.integrator = chosen == "weak_euler" ? slow::Integrator::weak_euler : slow::Integrator::euler_maruyama;
}
inline void read_step(Keys& keys, Method& m, double time) {
  m.dt = keys.positive({"dt", "largest step of a slow SDE, in slow time (default: time/2000)"}, time / 2000);
}
inline void read_refined(Keys& keys, Method& m) {
  m.refined = keys.boolean({"refined", "the finite-eta refinement of the slow SDE"}, false);
}
/// A proposed slow SDE: the theory's terms times these.
inline void read_drift_factors(Keys& keys, Method& m) {
  auto& f = m.factors;
  f.drift_1 = keys.number({"drift_1", "factor of drift-I in a slow SDE (1: the theory)"}, 1);
  f.drift_2 = keys.number({"drift_2", "factor of drift-II in a slow SDE (1: the theory)"}, 1);
  f.tangent_normal =
      keys.number({"tangent_normal", "factor of Sigma's tangent-normal blocks in both drifts (1: the theory)"}, 1);
}

/// Throws InputError where the slow SDE of an adaptive method is not known here.
inline void check_metric(const Problem& p, const Method& m) {
  const auto metric = m.algorithm.type->metric(m.algorithm);
  if (!metric) return;
  if (metric->start.size() != p.model->dim())
    throw InputError("method.v0: expected " + std::to_string(p.model->dim()) + " numbers, got " +
                     std::to_string(metric->start.size()));
  if (p.noise.reshuffles(p.model->residual_count()))
    throw InputError("noise.sampling: the slow SDE of '" + m.name +
                     "' is not known in reshuffled epochs: expected \"with_replacement\"");
}

/// Throws InputError where the step is none.
inline void check_step(const Method& m) {
  if (!(m.dt > 0)) throw InputError("method.dt: expected a number above 0, got " + discrete::shortest(m.dt));
}

}  // namespace sde::ensemble
