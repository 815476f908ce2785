#include "sde/loss/noise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sde/core/error.hpp"

namespace sde {

namespace {

void check_array(const char* field, const std::vector<double>& values, std::size_t expected, const char* shape) {
  if (values.size() != expected)
    throw InputError(fmt::format("noise.{}: expected {} = {} numbers, got {}", field, shape, expected, values.size()));
  if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
    throw InputError(fmt::format("noise.{}: expected finite numbers", field));
}

}  // namespace

template <>
void Noise::check(int d, int n, int classes) const {
  if (!(sigma2 >= 0 && std::isfinite(sigma2)))
    throw InputError(fmt::format("noise.sigma2: expected a finite variance of at least 0, got {}", sigma2));
  if (n == 0 && sigma2 > 0) throw InputError("noise.sigma2: label noise needs a squared loss: expected 0");
  if (n == 0 && classes == 0 && sampling != Sampling::full)
    throw InputError("noise.sampling: the loss has no residuals to sample: expected Sampling::full");
  if (!(redraw >= 0 && redraw <= 1))
    throw InputError(fmt::format("noise.redraw: expected a probability from 0 to 1, got {}", redraw));
  if (classes == 0 && redraw > 0)
    throw InputError("noise.redraw: a loss without classes: expected 0 (sigma2 perturbs the labels of a squared loss)");
  if (classes > 0 && rank + state_rank > 0)
    throw InputError("noise: a network's noise is that of its samples and their classes: expected no factor");
  if (rank < 0 || state_rank < 0)
    throw InputError(fmt::format("noise.{}: expected at least 0, got {}", rank < 0 ? "rank" : "state_rank",
                                 std::min(rank, state_rank)));
  const auto size = static_cast<std::size_t>(d);
  check_array("factor", factor, static_cast<std::size_t>(rank) * size, "rank * d");
  check_array("state", state, static_cast<std::size_t>(state_rank) * size * (state_rank > 0 ? size + 1 : 0),
              "(d + 1) * state_rank * d");
}

}  // namespace sde
