// What `sde run` prints of its results.
#pragma once

#include <nlohmann/json.hpp>

#include "../experiment/pairs.hpp"

namespace sde::cli {

/// The table: a row for each method, tr Hess at the start and at the end with 95% intervals; then what the algorithms
/// have more than their slow SDEs at the end.
void print_table(const experiment::Experiment&, const std::vector<ensemble::MethodResult>&,
                 const experiment::PairResults&);

/// The same for programs, with every observable at the end; `dataset` is the file's name.
nlohmann::json summary(const experiment::Experiment&, const std::vector<ensemble::MethodResult>&,
                       const experiment::PairResults&, const std::string& dataset);

}  // namespace sde::cli
