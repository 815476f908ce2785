// SGD on a perceptron: what `sde bench` measures of networks.
#pragma once

#include "work.hpp"

namespace sde::bench {

/// 64 inputs, 64 tanh units, 10 classes, cross-entropy; a path-step is a step of batch 32 of one path.
Work network_work(Precision);

}  // namespace sde::bench
