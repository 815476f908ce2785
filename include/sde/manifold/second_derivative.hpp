// d2Phi by differences of the flow map itself: the independent check of every on-manifold term.
#pragma once

#include "sde/manifold/flow_map.hpp"
#include "sde/slow/point_terms.hpp"

namespace sde::manifold {

using slow::Vector;

/// A vector with an estimate of its truncation error, both [d].
struct Difference {
  Vector value, error;
};

/// d2Phi[u, u] at the point p[d] of Gamma for any u[d], from central differences of three widths, extrapolated twice
/// (Richardson); the error is the distance to the extrapolation from two widths, an overestimate. Throws FlowError.
Difference second_derivative(FlowMap& flow, const Vector& p, const Vector& u);

}  // namespace sde::manifold
