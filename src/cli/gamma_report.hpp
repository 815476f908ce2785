// What Gamma is like at the start, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "sde/ensemble/method.hpp"
#include "sde/manifold/findings.hpp"

namespace sde::cli {

/// At the Phi of a problem's start, and around it.
inline manifold::Findings findings_of(const ensemble::Problem& p) {
  return manifold::findings_around(*p.model, p.start_on_gamma.data(), p.interpolating);
}

/// Under the key "gamma" of what --json prints.
nlohmann::json to_json(const manifold::Findings&);

}  // namespace sde::cli
