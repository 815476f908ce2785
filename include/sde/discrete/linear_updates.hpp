// A linear algorithm as its updates are written (theory.md section 9): "w <- 0.9 w - eta g; x <- x + w".
#pragma once

#include <string>
#include <vector>

#include "sde/slow/linear_algorithm.hpp"

namespace sde::discrete {

/// What a user writes of an algorithm whose workers are alike.
struct LinearUpdates {
  std::string updates{};      ///< a worker's step: assignments to its slots, in their order; g is its gradient
  std::string gradient_at{};  ///< where the gradient is taken; empty: at the first slot that is an iterate
  std::string synchronize{};  ///< after `steps` of them: assignments with mean(x) of a worker's slot; may be empty
  std::vector<std::string> momenta{};  ///< slots that are 0 at rest; all others are iterates
  std::vector<std::string> shared{};   ///< slots kept once, for `synchronize`
  int workers = 1;
  long steps = 1;
};

/// Its matrices, at eta = 1 and b = 1. The slots are what stands left of an arrow, in their order. Throws InputError
/// (formula::SyntaxError with the place) where an update is not linear in slots and gradient, the gradient does not
/// come with eta, a name is unknown, or a shared slot is used in a worker's step.
slow::ExchangeableAlgorithm matrices_of(const LinearUpdates&);

}  // namespace sde::discrete
