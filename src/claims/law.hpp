// Beyond moments: the law of Phi(avg) beside that of zeta.
#pragma once

#include "measuring.hpp"

namespace sde::claims {

/// Adds rows for the Kolmogorov-Smirnov distance of x1 (Local SGD against its slow SDE, and, as a control,
/// against SGD's), and a note with permutation p-values of that and of the energy distance in R^d.
void compare_laws(const Setting&, int claim, const Case&, Measured&);

}  // namespace sde::claims
