// What is observed of a path, in its order: written here once, for the CPU (src/ensemble/observer.cpp), for a GPU's
// thread and team (gpu/observe.hpp), for names and for counts. `record` takes each as a function of the path, so that
// who wants names alone computes nothing.
#pragma once

#include "sde/core/target.hpp"
#include "sde/slow/psi.hpp"

namespace sde {

/// record.scalar(name, f), with f(path) the value of the observable; record.polynomials() for those of the experiment.
/// Records are kept in this order, the polynomials last.
template <class Record>
SDE_INLINE void for_each_observable(bool has_test_error, Record& record) {
  record.scalar("loss", [](auto& path) { return path.loss(); });
  record.scalar("trace_hessian", [](auto& path) { return path.trace_hessian(); });
  record.scalar("lambda_max", [](auto& path) { return path.lambda_max(); });
  record.scalar("distance", [](auto& path) { return path.distance(); });          // |theta - Phi(theta)|
  record.scalar("disagreement", [](auto& path) { return path.disagreement(); });  // of the workers
  if (has_test_error) record.scalar("test_error", [](auto& path) { return path.test_error(); });
  record.polynomials();
}

/// What is recorded of each of the first components: what the slow SDE with parameters p predicts at Phi, then the rate
/// at which Phi itself moved since the last observation.
enum class PerComponent { drift_1, drift_2, ito_normal, diffusion, rate };

/// record.components(which, f), with f(path) a function of the component, which is asked at once.
template <class Record>
SDE_INLINE void for_each_component(const slow::Parameters& p, Record& record) {
  record.components(PerComponent::drift_1, [](auto& path) { return path.drift(slow::Term::drift_1); });
  if (p.workers > 1)
    record.components(PerComponent::drift_2, [](auto& path) { return path.drift(slow::Term::drift_2); });
  else
    record.components(PerComponent::drift_2, [](auto&) { return [](int) { return 0.0; }; });
  record.components(PerComponent::ito_normal, [](auto& path) { return path.ito_normal(); });
  record.components(PerComponent::diffusion, [](auto& path) { return path.diffusion(); });
  record.components(PerComponent::rate, [](auto& path) { return path.rate(); });
}

}  // namespace sde
