// The keys of all algorithms that work in rounds of H local steps.
#pragma once

#include "sde/discrete/algorithm.hpp"

namespace sde::discrete {

/// Asks for sync, H and beta; `sync` is the default. `limit` as in AlgorithmType::read.
inline void read_rounds(Keys& keys, Algorithm& a, const char* sync, bool limit) {
  using S = Synchronization::Kind;
  const bool given = keys.has("H");
  a.sync.H = keys.integer({"H", "local steps a round; under qsr and inverse the least"}, 1, 1, 1'000'000'000);
  const std::string kind = keys.choice({"sync", "H: constant; inverse: max(H, beta/eta); qsr: max(H, (beta/eta)^2)"},
                                       sync, {"constant", "inverse", "qsr"});
  a.sync.kind = kind == "constant" ? S::constant : kind == "inverse" ? S::inverse : S::qsr;
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN(), kAny = 0.1;
  if (a.sync.kind != S::constant)
    a.sync.beta = keys.positive({"beta", "of sync = inverse or qsr"}, limit ? kAny : kMissing);
  else if (!given && !limit)
    keys.fail("H", "missing: expected the number of local steps a round");
}

/// "H = 20", as labels have it.
inline std::string round_label(const Algorithm& a) {
  using S = Synchronization::Kind;
  if (a.sync.kind == S::qsr) return "QSR";
  return a.sync.kind == S::inverse ? "H = " + shortest(a.sync.beta) + "/eta" : "H = " + std::to_string(a.sync.H);
}

}  // namespace sde::discrete
