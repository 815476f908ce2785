// Expressions as straight lists of instructions on numbers T: doubles, packs of paths, numbers with derivatives. A
// program is run as it stands (evaluate.hpp), or written out as C++ (source.hpp), with the same operations in the same
// order.
//
// What does not depend on theta is no part of it: constants and parameters give one list of doubles, the columns of the
// data another for each row (Scalars). Of the rest, what does not depend on the row is computed once, before the rows.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sde/formula/graph.hpp"

namespace sde::formula {

/// What an instruction does; a and b are its operands, s is one of the doubles.
enum class Code : std::uint8_t {
  add,           ///< a + b
  subtract,      ///< a - b
  multiply,      ///< a b
  add_scalar,    ///< a + s
  scalar_minus,  ///< s - a
  scale,         ///< a s
  fill,          ///< s
  accumulate,    ///< output += a
  copy,
  negate,
  inverse,  ///< 1/a
  sqrt,
  non_negative,
  exp,
  log,
  sin,
  cos,
  tan,
  sinh,
  cosh,
  tanh,
  atan,
  erf,
  softplus,
  logcosh,
  sigmoid,
  relu,
  step
};

/// Arrays that an operand may be in.
enum class Bank : std::uint32_t { slot, variable, weight, direction, output, constant, column };
inline constexpr int kBankShift = 28;
/// An array, and an index in it: of weights, outputs and columns in the part that belongs to the row.
using Place = std::uint32_t;
constexpr Place place(Bank bank, int index) {
  return static_cast<Place>(bank) << kBankShift | static_cast<Place>(index);
}
constexpr Bank bank_of(Place p) { return static_cast<Bank>(p >> kBankShift); }
constexpr std::uint32_t index_of(Place p) { return p & ((1u << kBankShift) - 1); }

/// An operation, where its result goes, and its operands.
struct Instruction {
  Code code;
  Place to, a, b;  ///< b, or s: see Code

  bool operator==(const Instruction&) const = default;
};

/// Instructions in the order in which they run.
struct Program {
  std::vector<Instruction> once, row;  ///< before the rows; for each row
  int slots = 0;
  int row_outputs = 0;  ///< how far the outputs of a row are from those of the next

  bool empty() const { return once.empty() && row.empty(); }
};

/// The doubles that programs take, as expressions of constants, parameters and columns.
struct Scalars {
  std::vector<Id> constants, columns;
  std::map<Id, int> constant_index, column_index;
};

/// The doubles of a program: constants, and columns[per_row] of each row.
struct Numbers {
  std::vector<double> constants, columns;
  int rows = 1, per_row = 0;
};

/// A number that a program puts out.
struct Output {
  Id root;
  int index;
  bool sum = false;  ///< over the rows
};

/// The program of these outputs. `by_row`: weights, columns and what depends on them belong to rows of data; outputs
/// that do not depend on the row are put out once. `row_outputs`: see Program. Doubles that it needs join `scalars`.
Program lower(Graph&, Scalars&, const std::vector<Output>&, bool by_row, int row_outputs = 0);

}  // namespace sde::formula
