// Odeint's Rosenbrock method behind a plain interface, in a translation unit of its own: it compiles as C++17.
#pragma once

#include <functional>

namespace sde::manifold {

using VectorField = std::function<void(const double* x, double* out)>;

/// Integrates x' = field(x) over [0, time], x[d] in place, with error `tolerance` for each step; jacobian writes d x d
/// entries (row-major). Throws boost::numeric::odeint::odeint_error.
void integrate_stiff(int d, const VectorField& field, const VectorField& jacobian, double* x, double time,
                     double first_step, double tolerance);

}  // namespace sde::manifold
