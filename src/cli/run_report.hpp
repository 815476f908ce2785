// What `sde run` prints of its results.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "../experiment/pairs.hpp"
#include "sde/manifold/findings.hpp"

namespace sde::cli {

/// What Gamma is like at the start (or the network, which has none), then the table: a row for each method with the
/// keys in which they differ, tr Hess at the start and at the end and the test error with 95% intervals; what the
/// algorithms have more than their slow SDEs; under it what that does not say: means that lost paths bias, differences
/// of algorithm and theory that sampling does not explain.
void print_table(const experiment::Experiment&, const std::optional<manifold::Findings>&,
                 const std::vector<ensemble::MethodResult>&, const experiment::PairResults&);

/// The same for programs, with every key and every observable at the end; `dataset` is the file's name.
nlohmann::json summary(const experiment::Experiment&, const std::optional<manifold::Findings>&,
                       const std::vector<ensemble::MethodResult>&, const experiment::PairResults&,
                       const std::string& dataset);

}  // namespace sde::cli
