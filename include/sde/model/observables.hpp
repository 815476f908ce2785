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

/// Components whose diffusion is recorded as a matrix, at most: its entries grow with their square.
inline constexpr int kMatrixComponents = 32;
/// Rows of that matrix.
SDE_INLINE constexpr int matrix_components(int components) {
  return components < kMatrixComponents ? components : kMatrixComponents;
}
/// Two components, first < second.
struct ComponentPair {
  int first, second;
};
/// How many pairs so many recorded components have.
SDE_INLINE constexpr int pairs_of(int components) {
  return matrix_components(components) * (matrix_components(components) - 1) / 2;
}
/// Number `p` of them: (0, 1), (0, 2), ..., (1, 2), ...
SDE_INLINE constexpr ComponentPair pair_of(int p, int components) {
  int first = 0;
  for (int row = matrix_components(components) - 1; p >= row; --row, ++first) p -= row;
  return {first, first + 1 + p};
}

/// record.components(which, f), with f(path) a function of the component, which is asked at once; record.pairs(f), with
/// f(path) that of two components, for the diffusion matrix beside its diagonal; record.rate_pairs() for the sum and
/// then the difference of the two rates of each pair, whose moments give covariances (stats/covariance.hpp).
template <class Record>
SDE_INLINE void for_each_component(const slow::Parameters& p, Record& record) {
  record.components(PerComponent::drift_1, [](auto& path) { return path.drift(slow::Term::drift_1); });
  if (p.has_second())
    record.components(PerComponent::drift_2, [](auto& path) { return path.drift(slow::Term::drift_2); });
  else
    record.components(PerComponent::drift_2, [](auto&) { return [](int) { return 0.0; }; });
  record.components(PerComponent::ito_normal, [](auto& path) { return path.ito_normal(); });
  record.components(PerComponent::diffusion,
                    [](auto& path) { return [entry = path.diffusion()](int c) { return entry(c, c); }; });
  record.pairs([](auto& path) { return path.diffusion(); });
  record.components(PerComponent::rate, [](auto& path) { return path.rate(); });
  record.rate_pairs();
}

}  // namespace sde
