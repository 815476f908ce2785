// Algorithms as matrices (theory.md, the table of section 9). b is the batch of one gradient.
#pragma once

#include "sde/slow/linear_algorithm.hpp"

namespace sde::slow {

/// What a momentum slot w = -eta v does: w <- beta w - eta g, then x <- x + w (heavy ball), or x <- x + beta w - eta g
/// (Nesterov's, as PyTorch has it).
enum class Momentum { heavy_ball, nesterov };
/// What becomes of the workers' momenta when their iterates are averaged.
enum class AtSynchronization { averaged, kept, reset };

/// SGD with momentum; beta = 0 is SGD.
ExchangeableAlgorithm momentum_sgd(double eta, double b, Momentum, double beta);
/// Local SGD whose K workers take H steps with momentum; beta = 0 is Local SGD.
ExchangeableAlgorithm local_momentum(double eta, double b, int workers, long H, Momentum, double beta,
                                     AtSynchronization);
/// DiLoCo: K workers take H steps from an anchor a; D is the average less a; p <- mu p + D; a <- a + gamma p (heavy
/// ball), or a + gamma (D + mu p) (Nesterov); all begin again at a. Inner momentum `beta` is kept by the workers. mu =
/// 0 and K = 1: Lookahead.
ExchangeableAlgorithm diloco(double eta, double b, int workers, long H, double gamma, double mu, Momentum outer,
                             double beta = 0);
/// Decentralized SGD: x <- W x - eta g, W[K][K] doubly stochastic, applied `times` times between gradients. Throws
/// InputError where W is not, or where it does not connect the workers (naming those who do not meet).
LinearAlgorithm gossip(double eta, double b, const Eigen::MatrixXd& W, int times = 1);
/// Delayed SGD: the gradient is that of `delay` steps before.
LinearAlgorithm delayed(double eta, double b, int delay);

/// The doubly stochastic matrix of a ring: each worker takes its own and both neighbours' iterates in equal parts.
Eigen::MatrixXd ring_of(int workers);
/// Each takes all of them.
Eigen::MatrixXd complete(int workers);

}  // namespace sde::slow
