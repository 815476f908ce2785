// How noise is drawn, and what a kernel has code for.
#pragma once

#include "sde/loss/innovations.hpp"

namespace sde::discrete {

/// How noise is drawn: as the algorithm does, or as the conventional SDE's Gaussian increments of the same covariance
/// (then `substeps` Euler-Maruyama steps make one step of the algorithm).
struct Drawing {
  int batch = 1;  ///< samples per gradient (B_loc)
  bool gaussian = false;
  int substeps = 1;
  bool two_point = false;  ///< the conventional SDE's increments are +-1 instead: its weak order is kept
  int coarsening = 1;  ///< each Gaussian draw is the normalized sum of `coarsening` draws of an algorithm with steps
                       ///< 1/coarsening as long
  Innovations recorded{};  ///< what a coupled gradient keeps of its draws; see check_recordable()
};

/// The same of a coupled gradient, which keeps its draws of the columns `recorded`.
template <class Stepping>
SDE_DEVICE Stepping recording(Stepping stepping, const Innovations& recorded) {
  stepping.drawing.recorded = recorded;
  return stepping;
}

/// What a gradient may draw. A kernel for some of it has no code and no registers for the rest. One for increments of
/// one kind is of the conventional SDE alone, and its labels' errors are such increments.
enum Source : unsigned {
  kGaussianLabels = 1,
  kTwoPointLabels = 2,
  kSampling = 4,
  kAdditive = 8,
  kGaussianIncrements = 16,  ///< of the conventional SDE
  kTwoPointIncrements = 32,
  kConventional = kGaussianIncrements | kTwoPointIncrements,
  kAnySource = 63,
  // of losses with nothing to sample: one residual, or not squared
  kUnsampled = kGaussianLabels | kTwoPointLabels | kAdditive,
  kUnsampledGaussian = kGaussianLabels | kAdditive | kGaussianIncrements,
  kUnsampledTwoPoint = kTwoPointLabels | kAdditive | kTwoPointIncrements
};
/// The sources that occur.
inline unsigned sources_of(const NoiseKind& noise, const Drawing& drawing, int n) {
  unsigned used = 0;
  const bool signs = drawing.gaussian ? drawing.two_point : noise.label_law == Law::two_point;
  if (noise.sigma2 > 0) used |= signs ? kTwoPointLabels : kGaussianLabels;
  if (noise.samples(n)) used |= kSampling;
  if (noise.columns() > 0) used |= kAdditive;
  if (drawing.gaussian) used |= drawing.two_point ? kTwoPointIncrements : kGaussianIncrements;
  return used;
}

/// What a kernel for the sources kSources does: known to the compiler where they leave one way, else asked as it runs.
template <unsigned kSources>
struct Kernel {
  static_assert(kSources == kAnySource || (kSources & kConventional) != kConventional,
                "a kernel for both kinds of increments: expected kAnySource, which chooses as it runs");
  SDE_DEVICE static constexpr bool uses(unsigned sources) { return (kSources & sources) != 0; }
  SDE_DEVICE static bool conventional(const Drawing& drawing) {
    return uses(kConventional) && (kSources != kAnySource || drawing.gaussian);
  }
  SDE_DEVICE static bool two_point_labels(const NoiseKind& noise) {
    return !uses(kGaussianLabels) || (uses(kTwoPointLabels) && noise.label_law == Law::two_point);
  }
  SDE_DEVICE static bool two_point_increments(const Drawing& drawing) {
    return !uses(kGaussianIncrements) || (uses(kTwoPointIncrements) && drawing.two_point);
  }
};

}  // namespace sde::discrete
