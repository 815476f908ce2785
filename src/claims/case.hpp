// What a claim is measured on: a problem with the functions that are followed on it, and the settings.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "designs.hpp"
#include "sde/verify/paired.hpp"

namespace sde::claims {

struct Compared;

/// A closed form of E (u . (zeta(t) - zeta(0)))^2, u the tangent direction with the largest variance, `rate` a time.
struct KnownVariance {
  std::function<double(double rate, double t)> at;
  double eta = 0.01;  ///< at which the algorithm alone is held against it
};

struct Case {
  std::string name;
  ensemble::Problem problem;                    ///< starts on Gamma
  slow::Vector start;                           ///< where the algorithm itself starts (claim 4); maybe off Gamma
  verify::TestFunction slow_variable;           ///< the scalar whose drift is measured
  std::vector<verify::TestFunction> functions;  ///< whose means are compared (claim 4)
  bool additional_drift = true;                 ///< Local SGD drifts otherwise than SGD; it does not on sphere and flat
  bool sharpness_changes = true;                ///< enough to be measured
  bool one_argument = false;                    ///< psi is taken at 2 alpha lambda alone
  bool tangent_normal = false;                  ///< the tangent-normal blocks of Sigma have a part in drift-II
  std::optional<KnownVariance> variance;
  slow::Factors factors;  ///< of the slow SDE that is held against the algorithm; the theory's own by default
  Designs designs;
  bool diffuses = false;                      ///< Sigma_par is not zero
  std::map<int, std::string> not_applicable;  ///< claims that do not apply, with the reason
  /// Cases on one problem: runs of different streams share no random numbers.
  int stream = 0;
  std::shared_ptr<const Compared> compared;                       ///< claims 10 to 12: whose methods (comparing.hpp)
  double most_burn_in = std::numeric_limits<double>::infinity();  ///< slow time before a comparison, at most
};

}  // namespace sde::claims
