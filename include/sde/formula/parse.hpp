// A formula as people write it.
//
//   1/2 (y - x^3)^2 (1 + x^2)        exp(-x) sin(2 pi y)        sum(w^2) + dot(w, X[i]) - y
//
// Numbers, names, + - * / ^, parentheses, functions of one argument element by element, sum and dot of vectors, w[3]
// (from 1), the constants pi and e. A missing sign between two factors is a product, of the precedence of * and /; what
// is read in two ways ("1/2x", "x/y z") is refused. ^ binds tighter than a sign and groups from the right.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sde/core/error.hpp"
#include "sde/formula/graph.hpp"

namespace sde::formula {

/// A number or a vector of numbers, element by element.
struct Value {
  std::vector<Id> items;
  bool is_vector = false;
};

/// What the names in a formula stand for. A name that is in `rows` is also written NAME[i]: the entry of the row at
/// hand.
struct Names {
  std::map<std::string, Value, std::less<>> values;
  std::vector<std::string> rows;
};

/// A formula that is not one: the message names what was expected and what came, and shows the place.
struct SyntaxError : InputError {
  SyntaxError(const std::string& what, std::string_view text, std::size_t column);
  std::size_t column;  ///< where, from 0, in bytes
};

inline constexpr std::size_t kLongestFormula = 65'536;  ///< characters
inline constexpr int kDeepest = 200;                    ///< parentheses, signs and powers within each other

/// A number (parse) or anything (parse_value). Throws SyntaxError.
Id parse(Graph&, const Names&, std::string_view text);
Value parse_value(Graph&, const Names&, std::string_view text);

/// Whether a user may give something this name: a letter first, then letters, digits and _, and nothing that formulas
/// know already. Otherwise why not.
std::string problem_with_name(std::string_view name);

/// The functions that formulas know.
std::vector<std::string> function_names();

}  // namespace sde::formula
