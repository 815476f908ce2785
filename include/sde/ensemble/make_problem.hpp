// Problems that are set up in code rather than from a file: valid once made.
#pragma once

#include <utility>
#include <vector>

#include "sde/ensemble/method.hpp"

namespace sde::ensemble {

/// A loss with its noise; the algorithms start at start[d], the slow SDEs at its Phi. Throws InputError, which names
/// the field, what was expected and what came, and manifold::FlowError where the start has no Phi.
inline Problem make_problem(std::shared_ptr<const LossModel> model, Noise noise, const std::vector<double>& start) {
  Problem p;
  p.model = std::move(model);
  p.noise = std::move(noise);
  p.start = Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.project_start();
  check(p);
  return p;
}

/// The same with the algorithms' start, too, sent through Phi.
inline Problem problem_on_gamma(std::shared_ptr<const LossModel> model, Noise noise, const std::vector<double>& start) {
  Problem p = make_problem(std::move(model), std::move(noise), start);
  p.start = p.start_on_gamma;
  return p;
}

}  // namespace sde::ensemble
