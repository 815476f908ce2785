// Matrices as the step loop takes them.
#pragma once

#include "sde/discrete/linear_loop.hpp"
#include "sde/slow/linear_algorithm.hpp"

namespace sde::discrete {

/// The rule of an algorithm's matrices, made at the first call with them and kept for the process's lifetime: kernels
/// hold pointers into it. Steps without a gradient are taken together with the one before. observed[S]: the combination
/// of slots that stands for the algorithm's position, of sum 1 over the consensus. From any thread. Throws InputError
/// where the steps have different numbers of gradients, or the first has none.
LinearRule linear_rule(const slow::LinearAlgorithm&, const std::vector<double>& observed);

}  // namespace sde::discrete
