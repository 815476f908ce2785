// The problems that the claims are measured on, and what several claims need.
#pragma once

#include "claim.hpp"
#include "sde/verify/paired.hpp"

namespace sde::claims {

/// The loss with the noise and the start at which the claims are measured.
ensemble::Problem problem(const std::string& loss);

/// The scalar whose drift is measured: valley u, hyperbola x^2 - y^2, ring the tangent coordinate at the start, networks
/// tr Hess.
verify::TestFunction slow_variable(const std::string& loss);

/// Local SGD (K = 1: SGD) with constant eta, and H = alpha/eta.
discrete::LocalSgd local_sgd(const Setting&, double eta, int workers, double alpha, int batch);

/// Slow time after which the normal fluctuation is stationary to e^-8.
double relaxation(const ensemble::Problem&, double eta);

/// A pairing with the theory's prediction, which starts when the fluctuation is stationary.
verify::Pairing stationary(const ensemble::Problem&, const discrete::LocalSgd&, double time, long paths);

/// A copy of the theory's prediction to be spoilt.
verify::Prediction wrong(const verify::Pairing&, const std::string& name);

/// Row of the difference "algorithm minus prediction p" of function q at the last time, both divided by `scale` and
/// counted from the start; the margin is +-half.
Row gap_row(int claim, const std::string& loss, const std::string& quantity, const verify::PairedResult&,
            std::size_t p, std::size_t q, double scale, double half);

}  // namespace sde::claims
