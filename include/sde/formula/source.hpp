// A formula's programs as C++: the class of a loss (loss/concepts.hpp) that does what loss/formula.hpp does, with the
// same operations in the same order, for a compiler. It is made from the programs, never from what a user typed.
#pragma once

#include <string>

#include "sde/formula/loss_system.hpp"

namespace sde::formula {

/// The header of namespace sde::loss with `template <class Data> struct TypedOf` and `using Typed`, which is made by
/// Typed(const BoundLoss&). Sizes are constants of the class where a path's arrays then fit in registers or on the
/// stack.
std::string source_of(const BoundLoss&);

}  // namespace sde::formula
