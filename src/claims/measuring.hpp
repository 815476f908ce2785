// What several claims need to measure.
#pragma once

#include "case.hpp"
#include "claim.hpp"

namespace sde::claims {

using slow::Vector;

/// Orthonormal tangent directions at the start, those with noise, by falling variance: columns.
slow::Matrix noise_directions(const ensemble::Problem&);
/// u . (x - centre), and the product of two such.
verify::TestFunction along(const Vector& u, const Vector& centre);
verify::TestFunction product_along(const Vector& u, const Vector& w, const Vector& centre);

/// Constant eta; K workers with H = alpha/eta and total batch B; K = 1: SGD. `seed` is the run's (Setting::seed_of).
discrete::Algorithm local_sgd(const Setting&, std::uint64_t seed, double eta, int workers, double alpha, int batch);

/// A pairing with the slow SDE of the theory, to be compared after `time`, with steps of at most `dt`. It starts when
/// the fluctuation across Gamma has become stationary to e^-8.
verify::Pairing stationary(const Case&, const discrete::Algorithm&, double time, double dt, long paths);

/// Runs the pairing on the case's problem and counts its gradients.
verify::PairedResult paired(const Setting&, Measured&, const Case&, const verify::Pairing&);
/// Gradient evaluations that it will take.
double gradients_of(const verify::Pairing&);

/// The slow SDEs of SGD with the same total batch (no drift-II), and of the QSR limit.
verify::Prediction sgd_prediction(const verify::Pairing&);
verify::Prediction limit_prediction(const verify::Pairing&);

/// Function q at the last time: "algorithm against prediction p", both counted from the start and divided by `scale`;
/// the margin is +-half.
Row gap_row(int claim, const Case&, const std::string& quantity, const verify::PairedResult&, std::size_t p,
            std::size_t q, double scale, double half);

/// Whether a wrong prediction can be told from the theory's here: they lie `distance` apart, more than twice the margin
/// `half`. Else `m` gains the reason why the control `quantity` does not apply.
bool apart(Measured& m, const std::string& quantity, double distance, double half);
/// The same of predictions p and 0 at the last time, on `scale`.
bool apart(Measured& m, const std::string& quantity, const verify::PairedResult&, std::size_t p, std::size_t q,
           double scale, double half);

/// In words: "alpha 0.05 .. 2" for several, "alpha = 0.05" for one.
std::string range(const std::string& name, const std::vector<double>&);

/// The row hardest to call equal to its prediction, which stands for all.
Row worst(const std::vector<Row>& rows, const std::string& quantity);

}  // namespace sde::claims
