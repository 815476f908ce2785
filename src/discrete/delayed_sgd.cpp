#include "sde/discrete/delayed_sgd.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/slow/linear_algorithms.hpp"

namespace sde::discrete {

void DelayedSgd::check(const Algorithm& a) const {
  if (a.workers != 1) refuse("workers", "delayed_sgd takes the whole batch in one gradient: expected 1", a.workers);
  if (a.parameters.size() != 1 || !(a.parameters[0] >= 0 && a.parameters[0] <= kMost))
    throw InputError(fmt::format("algorithm.delay: expected a whole number from 0 to {}", kMost));
  if (!(a.parameters[0] < static_cast<double>(a.rate.steps)))
    throw InputError(
        fmt::format("algorithm.delay: {:g}: expected less than the run's {} steps: no gradient would ever be "
                    "of another point than the start",
                    a.parameters[0], a.rate.steps));
}

slow::LinearAlgorithm DelayedSgd::matrices(const Algorithm& a) const {
  return slow::delayed(1, 1, static_cast<int>(a.parameters.at(0)));
}

std::vector<double> DelayedSgd::observed(const Algorithm& a) const {
  std::vector<double> newest(1 + static_cast<std::size_t>(a.parameters.at(0)), 0.0);
  newest.front() = 1;
  return newest;
}

}  // namespace sde::discrete
