#include "sde/discrete/stochastic_gradient.hpp"

namespace sde::discrete {

std::vector<std::uint16_t> epoch_order(std::uint64_t seed, std::uint32_t path, std::uint32_t worker,
                                       std::uint64_t epoch, int n) {
  random::IndexStream<double> words({seed, path, worker}, random::Purpose::shuffle,
                                    epoch * static_cast<std::uint64_t>(n));
  std::vector<std::uint16_t> order(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(i);
  for (int i = n - 1; i > 0; --i) {
    const auto j = words.next(static_cast<std::uint32_t>(i + 1));
    std::swap(order[static_cast<std::size_t>(i)], order[j]);
  }
  return order;
}

}  // namespace sde::discrete
