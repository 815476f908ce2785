// SGD whose gradients are D steps late, x_(k+1) = x_k - a x_(k-D) + noise on a parabola, in closed form: the general
// engine's covariance of D + 1 slots takes O(D^3) for each pair of eigenvalues.
#pragma once

#include <optional>

#include "sde/slow/linear_algorithm.hpp"

namespace sde::slow {

/// D where these are the matrices of delayed() (linear_algorithms.hpp); none for any other.
std::optional<long> delay_of(const LinearAlgorithm&);

/// E[u v] in the stationary state of u_(k+1) = u_k - a u_(k-D) + xi_k and v_(k+1) = v_k - b v_(k-D) + xi_k with one
/// noise xi of variance 1; a and b from 0, not both 0. Not a number where one of them is not stable.
double delayed_covariance(double a, double b, long D);

/// The largest modulus of the roots of z^(D+1) - z^D + a, a from 0: below 1 for 0 < a < 2 sin(pi/(4 D + 2)) (Levin and
/// May, Theoret. Pop. Biol. 9, 1976).
double delayed_radius(double a, long D);

}  // namespace sde::slow
