// psi(x) = (exp(-x) - 1 + x)/x (theory.md section 2), and the weights that Sigma_hat, Psi_hat and their finite-eta
// refinement (section 6) put on a pair of Hessian eigenvalues. These formulas stand here and nowhere else.
#pragma once

#include <limits>

#include "sde/core/math.hpp"
#include "sde/slow/weight_table.hpp"

namespace sde::slow {

/// Eigenvalues below this multiple of the largest count as zero (tangent directions): far above what rounding in T
/// makes of a zero.
template <class T>
inline constexpr double kNullThresholdOf = sizeof(scalar_of<T>) == 8 ? 1e-9 : 1e-5;
/// In double.
inline constexpr double kNullThreshold = kNullThresholdOf<double>;

/// n = x psi(x) = exp(-x) - 1 + x and m = 1 - exp(-x) for x >= 0, both free of cancellation. They give psi at a sum:
///   n(x + y) = n(x) + n(y) + m(x) m(y),
/// so that the psi's of all pairs of eigenvalues take one exponential for each eigenvalue.
template <class T>
struct PsiParts {
  T n, m;
};

/// Both parts at x >= 0.
template <class T>
SDE_INLINE PsiParts<T> psi_parts(T x) {
  const T most = T(sde::detail::kLargestExponent<T>);  // beyond it exp(-x) is 0
  const T kept = select(x > most, most, x);
  const auto e = sde::detail::exp_parts(-kept);  // exp(-x) = scale (1 + r + r2q), -x = k ln 2 + r
  const T below = e.scale - T(1.0);              // 0 where x < ln2/2: then n = r2q exactly
  const T shift = (below - e.k * T(sde::detail::kLn2High<T>)) - e.k * T(sde::detail::kLn2Low<T>);
  return {(e.scale * e.r2q + (below * e.r + shift)) + (x - kept), -(e.scale * (e.r2q + e.r) + below)};
}

/// psi, increasing from psi(0) = 0 to 1.
template <class T>
SDE_DEVICE T psi(T x) {
  return psi_parts(x).n / select(x > T(0.0), x, T(1.0));
}

/// A proposed slow SDE: what it has of each term of the theory's (theory.md section 3). 1 is the theory.
struct Factors {
  double drift_1 = 1;
  double drift_2 = 1;
  double tangent_normal = 1;  ///< of Sigma_dia's tangent-normal blocks, in both drifts
  double diffusion = 1;       ///< of Sigma_par, and so of the normal Ito term

  bool operator==(const Factors&) const = default;
};

/// Which slow SDE: the numbers that its drift depends on. B is the total batch over all K workers.
struct Parameters {
  double batch = 1;  ///< B
  int workers = 1;   ///< K; 1 gives the slow SDE of SGD
  double alpha = 0;  ///< eta H; infinity gives the QSR limit
  double eta = 0;    ///< > 0 switches the finite-eta refinement of section 6 on
  double H = 1;      ///< local steps a round, used by the refinement alone
  Factors factors{};
  /// In the place of K, alpha and psi: the table of a linear algorithm, and its eta. Drift-I is then SGD's at the same
  /// diffusion, drift-II the rest.
  WeightTable weights{};
  double rate = 0;

  /// B as the diffusion has it: Sigma_par / B is its covariance.
  SDE_DEVICE double diffusion_batch() const { return batch / factors.diffusion; }

  /// Whether Psi_hat's factor is psi itself: neither the refinement, nor one of the limits of alpha.
  SDE_DEVICE bool uses_psi() const {
    return !weights && eta <= 0 && alpha > 0 && alpha != std::numeric_limits<double>::infinity();
  }
  /// Switches the refinement on; a table's weights are those of a finite eta as they are.
  void refine(double of_eta) {
    if (!weights) eta = of_eta;
  }
  /// Whether there is a drift-II.
  SDE_DEVICE bool has_second() const { return weights || workers > 1; }
};

/// The same with the divisions that every step would repeat.
struct Prepared : Parameters {
  double half_over_batch;  ///< of drift-I
  double more;             ///< drift-II over drift-I but for psi: K - 1; of a table 1
  double inverse_alpha;
  SDE_DEVICE Prepared(const Parameters& p)
      : Parameters(p),
        half_over_batch(0.5 / p.batch * first(p.factors)),
        more((p.weights ? 1.0 : p.workers - 1.0) * (p.factors.drift_2 / first(p.factors))),
        inverse_alpha(1 / p.alpha) {}

 private:
  /// The factor of drift-I. Drift-II is a multiple of drift-I, so that no pair of modes costs a multiplication more;
  /// none at all of drift-I is less of it than the sum's rounding.
  static constexpr double kNone = 0x1p-60;
  SDE_DEVICE static double first(const Factors& f) { return f.drift_1 != 0 ? f.drift_1 : kNone; }
};

/// A Hessian eigenvalue with psi's parts at alpha lambda; of a table, n is its coordinate and m is G(x, 0). The default
/// is a tangent direction: lambda = 0.
template <class T>
struct Mode {
  T lambda = T(0.0);
  PsiParts<T> parts{T(0.0), T(0.0)};
};
/// The mode of an eigenvalue. `others`: it will be paired with other modes, for which alone a table's m is there.
template <class T>
SDE_INLINE Mode<T> mode(const Prepared& p, T lambda, bool others = true) {
  Mode<T> r;
  r.lambda = lambda;
  if (p.uses_psi()) r.parts = psi_parts(T(p.alpha) * lambda);
  if (p.weights) {
    const T x = T(p.rate) * lambda;
    r.parts.n = p.weights.coordinate(x);
    if (others) {
      T own, mixed;
      p.weights.curves(r.parts.n, own, mixed);
      r.parts.m = x / mixed;
    }
  }
  return r;
}

/// base^exponent by squaring, for whole exponents from 0.
template <class T>
SDE_DEVICE T integer_power(T base, double exponent) {
  T result = T(1.0);
  for (auto e = static_cast<unsigned long long>(exponent); e; e >>= 1) {
    if (e & 1) result = result * base;
    base = base * base;
  }
  return result;
}

/// Weight of <v_i, Sigma_dia v_j> in Sigma_hat: 1/(lambda_i + lambda_j), refined: eta/(1 - q_ij).
template <class T>
SDE_INLINE T hat_weight(const Prepared& p, T li, T lj) {
  if (p.eta > 0) return T(1.0) / (li + lj - T(p.eta) * li * lj);  // 1 - q_ij = eta times this, without cancellation
  return T(1.0) / (li + lj);
}

/// What a table says of a mode i and its pairs: the ratios less 1, as drift-II has them. Without a table nothing of it
/// is touched.
template <class T>
struct TableRow {
  T own, mixed;  ///< (i, i) and (i, 0)
  T row[WeightTable::kMost];

  /// `others`: pairs with other modes will be asked for.
  SDE_DEVICE TableRow(const Prepared& p, const Mode<T>& i, bool others) {
    if (!p.weights) return;
    p.weights.curves(i.parts.n, own, mixed);
    own -= T(1.0);
    mixed -= T(1.0);
    if (others) p.weights.row(i.parts.n, row);
  }
  /// (i, j)
  SDE_DEVICE T with(const Prepared& p, const Mode<T>& i, const Mode<T>& j) const {
    const T x = T(p.rate) * i.lambda, y = T(p.rate) * j.lambda;
    const T scale = (x + T(p.weights.scale)) * (y + T(p.weights.scale));
    const T G = (i.parts.m + j.parts.m) * scale + x * y * p.weights.at(row, j.parts.n);
    // Beyond the table G is not a number, and has to stay so: there is no weight.
    return (x + y) * scale / select(G <= T(0.0), T(1.0), G) - T(1.0);
  }
};

/// Factor of Psi_hat over Sigma_hat: psi(alpha (lambda_i + lambda_j)), refined: 1 - (1/H) sum_{m<H} q_ij^m. Not of a
/// table. `hat` is the pair's hat_weight.
template <class T>
SDE_INLINE T psi_factor(const Prepared& p, const Mode<T>& i, const Mode<T>& j, T hat) {
  if (p.uses_psi()) return (i.parts.n + j.parts.n + i.parts.m * j.parts.m) * (hat * T(p.inverse_alpha));
  if (p.eta > 0 && p.alpha != std::numeric_limits<double>::infinity()) {
    const T q = (T(1.0) - T(p.eta) * i.lambda) * (T(1.0) - T(p.eta) * j.lambda);
    return T(1.0) - (T(1.0) - integer_power(q, p.H)) * hat / T(p.H * p.eta);
  }
  return T(p.alpha > 0 ? 1.0 : 0.0);
}

/// The weights in use. Drift = -P_par D3L[M], M with the named weight on Sigma_dia's pairs.
enum class Term { sigma_hat, psi_hat, drift_1, drift_2, drift };

/// With a pair's hat_weight, and factor(), which gives its psi_factor or what a table has in its place.
template <class T, class Factor>
SDE_INLINE T weight_of(Term term, const Prepared& p, T hat, Factor factor) {
  if (term == Term::sigma_hat) return hat;
  const T scale = hat * T(p.half_over_batch);
  if (term == Term::drift_1 || (!p.has_second() && term == Term::drift)) return scale;
  const T f = factor();
  if (term == Term::psi_hat) return hat * f;
  const T second = scale * f * T(p.more);
  return term == Term::drift_2 ? second : scale + second;
}
/// `hat` is the pair's hat_weight. A pair with a tangent direction has Factors::tangent_normal beside it.
template <class T>
SDE_INLINE T weight(Term term, const Prepared& p, const Mode<T>& i, const Mode<T>& j, T hat) {
  return weight_of(term, p, hat,
                   [&] { return p.weights ? TableRow<T>(p, i, true).with(p, i, j) : psi_factor(p, i, j, hat); });
}
/// For one pair of eigenvalues, 0 for a tangent direction.
template <class T>
SDE_DEVICE T weight(Term term, const Prepared& p, T li, T lj) {
  const T of_pair = T(li == T(0.0) || lj == T(0.0) ? p.factors.tangent_normal : 1.0);
  return weight(term, p, mode(p, li), mode(p, lj), hat_weight(p, li, lj)) * of_pair;
}

/// The weights of the pairs of one mode i, as the geometries ask for them; 0 for a pair of two zero eigenvalues.
template <class T>
class WeightsOf {
 public:
  /// `others`: with() will be called for other modes.
  SDE_DEVICE WeightsOf(Term term, const Prepared& p, const Mode<T>& i, bool others)
      : term_(term), p_(p), i_(i), table_(p, i, others) {}
  SDE_DEVICE T own() const {
    return guarded(i_, [&] { return table_.own; });
  }
  SDE_DEVICE T mixed() const {
    return guarded(Mode<T>{}, [&] { return table_.mixed; });
  }
  SDE_DEVICE T with(const Mode<T>& j) const {
    return guarded(j, [&] { return table_.with(p_, i_, j); });
  }

 private:
  template <class Factor>
  SDE_INLINE T guarded(const Mode<T>& j, Factor from_table) const {
    const T sum = i_.lambda + j.lambda;
    const auto ok = sum > T(0.0);
    const T hat = hat_weight(p_, select(ok, i_.lambda, T(1.0)), j.lambda);
    const T w = weight_of(term_, p_, hat, [&] { return p_.weights ? from_table() : psi_factor(p_, i_, j, hat); });
    return select(ok, w, T(0.0));
  }
  const Term term_;
  const Prepared& p_;
  const Mode<T>& i_;
  const TableRow<T> table_;
};

}  // namespace sde::slow
