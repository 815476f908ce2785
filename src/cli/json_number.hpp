// Numbers in what is printed for programs.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace sde::cli {

/// null where it is none.
inline nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(nullptr); }

}  // namespace sde::cli
