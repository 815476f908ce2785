// A perceptron, its data, and how it is observed: all that a run on a network is told of its loss.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "sde/network/architecture.hpp"
#include "sde/network/samples.hpp"

namespace sde::network {

/// What is observed of a network, in order (sde::PointModel::names).
inline constexpr const char* kObserved[] = {"loss",          "train_error",   "test_loss",           "test_error",
                                            "test_accuracy", "trace_hessian", "trace_hessian_error", "lambda_max"};

/// Plain values; both sets have the architecture's features and classes.
struct Network {
  Architecture net;
  std::shared_ptr<const Samples> training, test;
  int probes = 16;       ///< of the estimate of tr Hess
  int curvature_of = 0;  ///< first training samples whose Hessian is observed; 0: all

  int curvature_samples() const { return curvature_of > 0 ? std::min(curvature_of, training->n) : training->n; }
  /// "perceptron 64-32-10, tanh, cross-entropy, 2410 parameters; 1024 samples, 773 test samples"
  std::string describe() const;
};

}  // namespace sde::network
