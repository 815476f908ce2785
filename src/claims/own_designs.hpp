// The settings at which the claims are measured on an experiment file's own algorithm.
#pragma once

#include "../experiment/verify_section.hpp"
#include "pilot.hpp"

namespace sde::claims {

/// Sets the case's designs, and the reasons of the claims that do not apply. `slow` and `sharpness` are the places of
/// the slow variable and of tr Hess among the pilot's signals; `time` is the experiment's.
void design_claims(Case&, const Own&, const Pilot&, std::size_t slow, std::size_t sharpness, double time,
                   const experiment::VerifySettings&);

}  // namespace sde::claims
