// Curvature from Hessian-vector products alone.
#pragma once

#include <cstdint>
#include <functional>

namespace sde::network {

/// out[d] = H u[d]
using Product = std::function<void(const double* u, double* out)>;

/// An estimate of tr H and its standard error.
struct Trace {
  double value, standard_error;
};

/// Which random numbers an estimate draws.
struct Draws {
  std::uint64_t seed;
  std::uint32_t path, time;
};

/// The mean of z^T H z over `probes` (2 or more) vectors z of random signs (Hutchinson 1990), unbiased.
Trace trace(const Product& product, int d, int probes, const Draws& draws);

/// The largest eigenvalue, to kEigenvalueTolerance of the largest size of any, by restarted Lanczos (Spectra); not a
/// number where 1000 restarts do not reach that.
double largest_eigenvalue(const Product& product, int d);
inline constexpr double kEigenvalueTolerance = 1e-3;

}  // namespace sde::network
