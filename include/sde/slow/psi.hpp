// psi(x) = (exp(-x) - 1 + x)/x (theory.md section 2), and the weights that Sigma_hat, Psi_hat and their finite-eta
// refinement (section 6) put on a pair of Hessian eigenvalues. These formulas stand here and nowhere else.
#pragma once

#include <limits>

#include "sde/core/math.hpp"

namespace sde::slow {

/// Eigenvalues below this multiple of the largest count as zero (tangent directions).
inline constexpr double kNullThreshold = 1e-9;

/// psi, increasing from psi(0) = 0 to 1. Below 1, where exp(-x) - 1 + x cancels, the alternating series.
template <class T>
T psi(T x) {
  using std::exp;
  const T direct = (exp(-x) - T(1.0) + x) / select(x < T(1.0), T(1.0), x);
  T series = T(0.0);
  for (int k = 18; k >= 1; --k) series = (T(1.0) - series) * (x * T(1.0 / (k + 1)));
  return select(x < T(1.0), series, direct);
}

/// Which slow SDE: the numbers that its drift depends on. B is the total batch over all K workers.
struct Parameters {
  double batch = 1;  ///< B
  int workers = 1;   ///< K; 1 gives the slow SDE of SGD
  double alpha = 0;  ///< eta H; infinity gives the QSR limit
  double eta = 0;    ///< > 0 switches the finite-eta refinement of section 6 on
  double H = 1;      ///< local steps a round, used by the refinement alone
};

template <class T>
T integer_power(T base, double exponent) {
  T result = T(1.0);
  for (auto e = static_cast<unsigned long long>(exponent); e; e >>= 1) {
    if (e & 1) result = result * base;
    base = base * base;
  }
  return result;
}

/// Weight of <v_i, Sigma_dia v_j> in Sigma_hat: 1/(lambda_i + lambda_j), refined: eta/(1 - q_ij).
template <class T>
T hat_weight(const Parameters& p, T li, T lj) {
  if (p.eta > 0) return T(p.eta) / (T(1.0) - (T(1.0) - T(p.eta) * li) * (T(1.0) - T(p.eta) * lj));
  return T(1.0) / (li + lj);
}

/// Factor of Psi_hat over Sigma_hat: psi(alpha (lambda_i + lambda_j)), refined: 1 - (1/H) sum_{m<H} q_ij^m.
template <class T>
T psi_factor(const Parameters& p, T li, T lj) {
  if (p.alpha == std::numeric_limits<double>::infinity()) return T(1.0);
  if (p.eta > 0) {
    const T q = (T(1.0) - T(p.eta) * li) * (T(1.0) - T(p.eta) * lj);
    return T(1.0) - (T(1.0) - integer_power(q, p.H)) / (T(p.H) * (T(1.0) - q));
  }
  return psi(T(p.alpha) * (li + lj));
}

/// The three weights in use. Drift = -P_par D3L[M], M with the named weight on Sigma_dia's pairs.
enum class Term { sigma_hat, psi_hat, drift_1, drift_2, drift };

template <class T>
T weight(Term term, const Parameters& p, T li, T lj) {
  const T hat = hat_weight(p, li, lj);
  if (term == Term::sigma_hat) return hat;
  const T scale = hat * T(0.5 / p.batch);
  if (term == Term::drift_1) return scale;
  if (p.workers == 1 && term == Term::drift) return scale;
  const T factor = psi_factor(p, li, lj);
  if (term == Term::psi_hat) return hat * factor;
  const T second = scale * factor * T(p.workers - 1.0);
  return term == Term::drift_2 ? second : scale + second;
}

}  // namespace sde::slow
