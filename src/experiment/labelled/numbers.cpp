#include "numbers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "../data_file.hpp"

namespace sde::experiment {

namespace {

double number_of(const unsigned char* bytes, NumberType type) {
  std::uint64_t bits = 0;
  for (int k = 0; k < type.bytes; ++k) bits = bits << 8 | bytes[type.big_endian ? k : type.bytes - 1 - k];
  if (type.kind == 'f')
    return type.bytes == 8 ? std::bit_cast<double>(bits) : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  if (type.kind == 'u') return static_cast<double>(bits);
  const int unused = 64 - 8 * type.bytes;
  return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
}

}  // namespace

std::size_t count_of(const ByteStream& in, const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = 1;
  for (const auto size : shape) {
    if (size == 0 || count > kMostDataNumbers / size)
      in.fail(fmt::format("an array of {}: expected 1 to {} numbers", fmt::join(shape, " x "), kMostDataNumbers));
    count *= size;
  }
  return static_cast<std::size_t>(count);
}

std::vector<double> take_numbers(ByteStream& in, std::size_t count, NumberType type) {
  constexpr std::size_t kAtOnce = 1 << 14;
  const auto size = static_cast<std::size_t>(type.bytes);
  std::vector<unsigned char> bytes(kAtOnce * size);
  std::vector<double> numbers;
  while (numbers.size() < count) {
    const std::size_t next = std::min(kAtOnce, count - numbers.size());
    in.take(bytes.data(), next * size, fmt::format("its {} numbers", count));
    for (std::size_t k = 0; k < next; ++k) {
      numbers.push_back(number_of(&bytes[k * size], type));
      if (!std::isfinite(numbers.back()))
        in.fail_at(in.position() - (next - k) * size,
                   fmt::format("number {} is {}: expected finite numbers", numbers.size(), numbers.back()));
    }
  }
  return numbers;
}

}  // namespace sde::experiment
