#include "sde/loss/data.hpp"

#include <limits>

#include "sde/random/streams.hpp"

namespace sde::loss {

std::vector<double> normal_data(std::uint64_t seed, std::uint32_t what, int count) {
  random::NormalStream<double> stream({seed, 0, what}, random::Purpose::start, 0);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (auto& v : values) v = stream.next();
  return values;
}

std::vector<double> random_start(int d, double scale, std::uint64_t seed) {
  auto start = normal_data(seed, 100, d);
  for (double& v : start) v = scale * v;
  return start;
}

std::uint64_t data_seed(Keys& keys) {
  return static_cast<std::uint64_t>(
      keys.integer({"data_seed", "seed of the random data"}, 1, 0, std::numeric_limits<int>::max()));
}

}  // namespace sde::loss
