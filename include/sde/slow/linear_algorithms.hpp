// Workers on a graph and delays as matrices (theory.md, the table of section 9). b is the batch of one gradient.
#pragma once

#include "sde/slow/linear_algorithm.hpp"

namespace sde::slow {

/// Decentralized SGD: x <- W x - eta g, W[K][K] doubly stochastic, applied `times` times between gradients. Throws
/// InputError where W is not, or where it does not connect the workers (naming those who do not meet).
LinearAlgorithm gossip(double eta, double b, const Eigen::MatrixXd& W, int times = 1);
/// Delayed SGD: the gradient is that of `delay` steps before.
LinearAlgorithm delayed(double eta, double b, int delay);

/// The doubly stochastic matrix of a ring: each worker takes its own and both neighbours' iterates in equal parts.
Eigen::MatrixXd ring_of(int workers);
/// The same of a torus, as square as `workers` allows: five iterates each. Throws InputError where a side is below 3.
Eigen::MatrixXd torus_of(int workers);
/// Each takes all of them.
Eigen::MatrixXd complete(int workers);

}  // namespace sde::slow
