// Every elementary function of a loss, on packs and plain numbers; with derivatives in dual_functions.hpp.
#pragma once

#include "sde/core/math.hpp"
#include "sde/core/power.hpp"
#include "sde/core/special.hpp"
#include "sde/core/trigonometric.hpp"
