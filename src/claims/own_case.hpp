// The cases that an experiment file asks about: its problem with each of its discrete algorithms.
#pragma once

#include <memory>

#include "../experiment/experiment.hpp"
#include "claim.hpp"

namespace sde::claims {

struct OwnCases {
  std::vector<std::shared_ptr<const Case>> cases;
  std::vector<Skipped> others;  ///< algorithms that are not measured, with the reason
};

/// Short runs of their own decide what is followed, for how long and with how many paths. Throws InputError where the
/// file has no discrete algorithm, and ensemble::Interrupted.
OwnCases own_cases(const Setting&, const experiment::Experiment&);

}  // namespace sde::claims
