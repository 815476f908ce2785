// The common mistake as a control: Sigma without its tangent-normal blocks.
#pragma once

#include "sde/loss/noise.hpp"
#include "sde/slow/point_terms.hpp"

namespace sde::claims {

/// Constant noise with each column a of the factor as two, P_par a and P_perp a, at the point where `terms` was
/// computed.
inline Noise without_tangent_normal(const Noise& noise, const slow::PointTerms& terms, int d) {
  Noise split;
  split.rank = 2 * noise.rank;
  for (int s = 0; s < noise.rank; ++s) {
    const Eigen::Map<const slow::Vector> column(&noise.factor[static_cast<std::size_t>(s * d)], d);
    slow::Vector tangent = column;
    terms.project(tangent.data());
    const slow::Vector normal = column - tangent;
    split.factor.insert(split.factor.end(), tangent.begin(), tangent.end());
    split.factor.insert(split.factor.end(), normal.begin(), normal.end());
  }
  return split;
}

}  // namespace sde::claims
