// The problems that the claims are measured on, and what several claims need.
#pragma once

#include "claim.hpp"
#include "sde/verify/paired.hpp"

namespace sde::claims {

using slow::Vector;

/// The loss with the noise and the start (on Gamma) at which the claims are measured.
ensemble::Problem problem(const std::string& loss);

/// The scalar whose drift is measured: valley and ring x1 (tangent to Gamma at the start), sphere x2, hyperbola
/// x^2 - y^2, chain and networks tr Hess.
verify::TestFunction slow_variable(const std::string& loss);

/// Orthonormal tangent directions at the start, those with noise, by falling variance: columns.
slow::Matrix noise_directions(const ensemble::Problem&);
/// u . (x - centre), and the product of two such.
verify::TestFunction along(const Vector& u, const Vector& centre);
verify::TestFunction product_along(const Vector& u, const Vector& w, const Vector& centre);

/// Constant eta; K workers with H = alpha/eta and total batch B; K = 1: SGD. `seed` is the run's (Setting::seed_of).
discrete::Algorithm local_sgd(const Setting&, std::uint64_t seed, double eta, int workers, double alpha, int batch);

/// A pairing with the slow SDE of the theory, to be compared after `time`. It starts when the fluctuation across Gamma
/// has become stationary to e^-8.
verify::Pairing stationary(const ensemble::Problem&, const discrete::Algorithm&, double time, long paths);

/// Runs the pairing and counts its gradients.
verify::PairedResult paired(const Setting&, Measured&, const ensemble::Problem&, const verify::Pairing&);

/// The slow SDEs of SGD with the same total batch (no drift-II), and of the QSR limit.
verify::Prediction sgd_prediction(const verify::Pairing&);
verify::Prediction limit_prediction(const verify::Pairing&);

/// Function q at the last time: "algorithm against prediction p", both counted from the start and divided by `scale`;
/// the margin is +-half.
Row gap_row(int claim, const std::string& loss, const std::string& quantity, const verify::PairedResult&, std::size_t p,
            std::size_t q, double scale, double half);

/// The row hardest to call equal to its prediction, which stands for all.
Row worst(const std::vector<Row>& rows, const std::string& quantity);

}  // namespace sde::claims
