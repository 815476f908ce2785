// What `sde run` prints of algorithms beside their slow SDEs on common noise.
#pragma once

#include <nlohmann/json.hpp>

#include "../experiment/pairs.hpp"

namespace sde::cli {

/// The last observation at which a pair was compared.
std::size_t last_place(const experiment::Pair&);

/// What the algorithms have more than their slow SDEs at the end: tr Hess and the first polynomials, with 95%
/// intervals; nothing without pairs.
void print_pairs(const experiment::Experiment&, const experiment::PairResults&);

/// The same for programs, with every observable.
nlohmann::json pairs_json(const experiment::Experiment&, const experiment::PairResults&);

}  // namespace sde::cli
