// Problems that are set up in code (claims, benchmarks, tests) rather than from a file.
#pragma once

#include <utility>
#include <vector>

#include "sde/ensemble/method.hpp"

namespace sde::ensemble {

/// The problem with start[d] sent through Phi: it starts on Gamma. Throws manifold::FlowError.
inline Problem settled_problem(std::shared_ptr<const LossModel> model, Noise noise, const std::vector<double>& start) {
  Problem p;
  p.model = std::move(model);
  p.noise = std::move(noise);
  p.start = Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.settle();
  p.start = p.start_on_gamma;
  return p;
}

}  // namespace sde::ensemble
