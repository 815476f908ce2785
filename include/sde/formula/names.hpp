// The names in formulas that nothing has defined yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sde::formula {

/// The names of a formula but those of functions and constants, each once, in the order in which they occur. Throws
/// SyntaxError.
std::vector<std::string> names_in(std::string_view text);

/// Names in the order of coordinates: by letters, numbers at their ends by value (x2 before x10).
void sort_names(std::vector<std::string>& names);

}  // namespace sde::formula
