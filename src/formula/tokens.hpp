// The words of a formula.
#pragma once

#include <string_view>
#include <vector>

namespace sde::formula {

enum class Kind { number, name, sign, end };

struct Token {
  Kind kind;
  std::string_view text;
  double value = 0;          ///< of a number
  std::size_t column = 0;    ///< where it begins, in bytes
  bool after_space = false;  ///< or a line's end
};

/// All of them, with one of Kind::end. Throws SyntaxError.
std::vector<Token> tokens(std::string_view text);

}  // namespace sde::formula
