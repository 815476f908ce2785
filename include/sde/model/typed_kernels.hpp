// What a module compiled from a formula gives (formula/source.hpp): the kernels that advance paths, in the places of
// those that run its programs, with the same bits.
#pragma once

#include "sde/formula/loss_system.hpp"
#include "sde/model/model.hpp"

namespace sde {

/// Of the discrete algorithms.
struct DiscreteTypedKernels {
  const char* version;  ///< of the project, and the table's size: a module of another build is refused
  unsigned long size;
  /// Gives null for an algorithm that modules do not compile.
  std::unique_ptr<DiscreteKernel> (*discrete)(const formula::BoundLoss&, const Noise&, const discrete::Algorithm&);
};
/// Of the slow SDE, and of algorithms that keep their draws for it.
struct SlowTypedKernels {
  const char* version;
  unsigned long size;
  std::unique_ptr<SlowKernel> (*slow)(const formula::BoundLoss&, const Noise&);  ///< null where a model makes none
  /// Null in single precision.
  std::unique_ptr<RecordingKernel> (*recording)(const formula::BoundLoss&, const Noise&, const discrete::Algorithm&,
                                                const Innovations&);
  /// The slow SDE in a metric that moves with the path: with the rule of adaptive methods, where a model makes one.
  std::unique_ptr<SlowKernel> (*metric)(const formula::BoundLoss&, const Noise&, const slow::MovingMetric&);
};

}  // namespace sde
