#include "sde/loss/innovations.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace sde {

std::string Innovations::text() const {
  return fmt::format("{} of sampling, {} of labels, {} constant, {} of state", sampling.count, labels.count,
                     constant.count, state.count);
}

void check_recordable(const Innovations& asked, const NoiseKind& noise, int n) {
  if (asked != innovations_on_gamma(noise) && asked != all_innovations(noise, n))
    throw std::invalid_argument(
        fmt::format("common noise: the algorithm draws for the noise's columns {}; the slow SDE asks for {}",
                    all_innovations(noise, n).text(), asked.text()));
  if (asked.sampling.count > 0 && noise.sampling == Sampling::without_replacement)
    throw std::invalid_argument(
        "common noise: without replacement a sample is drawn once an epoch, and the slow SDE of independent draws does "
        "not hold where residuals stay on Gamma: expected sampling full or with_replacement");
}

}  // namespace sde
