// Arrays of numbers as IDX and NPY files hold them.
#pragma once

#include <vector>

#include "byte_stream.hpp"

namespace sde::experiment {

/// How a number is written.
struct NumberType {
  char kind;  ///< 'u' or 'i' (unsigned, signed), 'f' (IEEE)
  int bytes;  ///< 1, 2, 4 or 8; of 'f' 4 or 8
  bool big_endian;
};

/// Numbers of an array with these sizes. Throws InputError by `in` where there are none, or more than kMostDataNumbers.
std::size_t count_of(const ByteStream& in, const std::vector<std::uint64_t>& shape);

/// The next `count` numbers; memory grows with the bytes that there are. Throws InputError where they end too soon, or
/// one is not finite.
std::vector<double> take_numbers(ByteStream& in, std::size_t count, NumberType type);

}  // namespace sde::experiment
