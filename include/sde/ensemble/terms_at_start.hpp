// What an algorithm's slow SDE begins with.
#pragma once

#include "sde/ensemble/method.hpp"

namespace sde::ensemble {

/// The terms where the problem starts on Gamma, as the slow SDE of an algorithm takes them: in the metric of an
/// adaptive one, at its v(0). Throws InputError where that has no slow SDE.
std::unique_ptr<slow::PointTerms> terms_at_start(const Problem&, const discrete::Algorithm&);

/// Gives an adaptive method what it starts from by default, the noise's variances at the start; of a model without
/// Gamma 0, as PyTorch has it. Throws InputError where its v(0) does not fit the problem.
void set_noise(const Problem&, discrete::Algorithm&);

}  // namespace sde::ensemble
