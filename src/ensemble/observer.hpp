// What is recorded of a path at one time.
#pragma once

#include <optional>

#include "sde/ensemble/method.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/point_model.hpp"
#include "timeline.hpp"

namespace sde::ensemble {

/// Observes paths: Phi, the terms there, and the increments of Phi since the path's last observation.
class Observer {
 public:
  Observer(const Problem& problem, const Method& method, const Observation& observation, const SlowClock& clock);

  /// theta[d] of path number `path` at observation t, with the workers' disagreement `spread`. `previous` is Phi at the
  /// path's last observation, empty before the first; it becomes Phi(theta). Throws manifold::FlowError where Phi does
  /// not exist.
  void operator()(long path, std::size_t t, const double* theta, double spread, Vector& previous, MethodResult& result);

 private:
  struct Path;

  /// Of a model without Gamma.
  void at_point(long path, std::size_t t, const double* theta, double spread, MethodResult& result);

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const SlowClock& clock_;
  std::unique_ptr<PointObserver> point_observer_;  ///< of a model without Gamma, which has none of the next two
  std::optional<manifold::FlowMap> flow_;
  std::unique_ptr<slow::PointTerms> terms_;
  const bool in_metric_;  ///< of an adaptive method
  std::vector<double> values_;
  Vector point_;
};

}  // namespace sde::ensemble
