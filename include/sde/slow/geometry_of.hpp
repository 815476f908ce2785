// Which geometry the kernels compile for a loss.
#pragma once

#include "sde/slow/hessian_geometry.hpp"
#include "sde/slow/hypersurface_geometry.hpp"

namespace sde::slow {

namespace detail {
template <Loss L, class T, class Team, class Metric>
struct ChooseGeometry {
  using Type = ResidualGeometry<L, T, Team, Metric>;
};
template <Loss L, class T, class Team, class Metric>
requires(SquaredLoss<L>&& residuals_of<L> == 1) struct ChooseGeometry<L, T, Team, Metric> {
  using Type = HypersurfaceGeometry<L, T, Team, Metric>;
};
template <ValueLoss L, class T, class Team, class Metric>
struct ChooseGeometry<L, T, Team, Metric> {
  using Type = HessianGeometry<L, T, Team, Metric>;
};
}  // namespace detail

/// What advances the slow SDE of a loss: through its residuals, which vanish on Gamma, where it has some; else through
/// its Hessian, for at most kHessianDimensions.
template <Loss L, class T, class Team = Solo, class Metric = NoMetric>
using GeometryOf = typename detail::ChooseGeometry<L, T, Team, Metric>::Type;

/// Whether there are such kernels of a loss of this many dimensions.
template <Loss L>
SDE_DEVICE bool has_kernels(const L& loss) {
  return SquaredLoss<L> || loss.dim() <= kHessianDimensions;
}
/// Whether there may be: kernels of losses that are known to be too large are not compiled.
template <Loss L>
inline constexpr bool kMayHaveKernels = SquaredLoss<L> || dim_of<L> <= kHessianDimensions;

}  // namespace sde::slow
