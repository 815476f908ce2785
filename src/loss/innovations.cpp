#include "sde/loss/innovations.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace sde {

std::string Innovations::text() const {
  return fmt::format("{} of sampling, {} of labels, {} constant, {} of state", sampling.count, labels.count,
                     constant.count, state.count);
}

void check_recordable(const Innovations& asked, const NoiseKind& noise, int n) {
  if (asked != innovations_on_gamma(noise) && asked != driving_innovations(noise, n))
    throw std::invalid_argument(
        fmt::format("common noise: the algorithm draws for the noise's columns {}; the slow SDE asks for {}",
                    driving_innovations(noise, n).text(), asked.text()));
}

}  // namespace sde
