// Which term of a slow SDE is wrong: the increments of Phi regressed on the theory's terms along the algorithm's paths.
//   E[dPhi] = (c_1 drift-I + c_2 drift-II + c_t tangent-normal blocks + c_n normal Ito) dt,
//   E[dPhi dPhi^T] = c_d Sigma_par/B dt,
// with all c = 1, but c_t = 0 beside the whole drifts, where the theory (theory.md section 3) is right.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace sde::verify {

/// The terms of the mean; `tangent_normal` is the part of both drifts that Sigma's tangent-normal blocks give.
enum class DriftTerm { drift_1, drift_2, tangent_normal, ito_normal };
/// How many there are.
inline constexpr std::size_t kDriftTerms = 4;

/// Sums over a block of paths and all intervals; z: the terms where an interval begins, whose noise is independent of
/// them; x: their integrals over it; y: the increment less the martingale on common noise.
struct TermSums {
  std::array<double, kDriftTerms * kDriftTerms> zx{};
  std::array<double, kDriftTerms> zy{};
  double squares = 0;   ///< <Sigma_par/B, e e^T>, e the increment about its mean
  double expected = 0;  ///< <Sigma_par/B, Sigma_par/B> times the interval

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    for (auto& v : zx) a& v;
    for (auto& v : zy) a& v;
    a& squares& expected;
  }
};

/// What the measurement says of a term's factor, 1 where the theory is right.
struct TermFactor {
  std::string name;
  bool present = false;    ///< the problem has such a term
  double has = 1;          ///< of the slow SDE that is asked about
  double value = 0;        ///< measured, all terms at once
  double error = 0;        ///< its standard error; infinity where it cannot be told from the others
  double alone = 0;        ///< what it would have to be if all others were right
  double alone_error = 0;  ///< standard error
};

/// The factors of drift-I, drift-II, the tangent-normal blocks, the normal Ito term and the diffusion, with standard
/// errors from leaving out one block at a time. `has`: those of the slow SDE that is asked about, in this order.
/// Throws std::invalid_argument for fewer than 8 blocks.
std::vector<TermFactor> fit_terms(const std::vector<TermSums>& blocks, const std::array<double, 5>& has);

}  // namespace sde::verify
