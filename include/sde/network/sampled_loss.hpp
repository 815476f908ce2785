// Losses that are means over samples which are no residuals: what a minibatch of them is drawn from.
#pragma once

#include "sde/loss/concepts.hpp"

namespace sde::network {

/// L = 1/n sum_i l_i(theta; y_i) + what belongs to no sample; y_i is one of classes() classes. `BatchOf<T>` makes
/// gradients of batches (perceptron.hpp).
template <class L>
concept SampledLoss = ValueLoss<L> && requires(const L& loss) {
  { loss.sample_count() } -> std::convertible_to<int>;
  { loss.classes() } -> std::convertible_to<int>;
  { loss.label(0) } -> std::convertible_to<int>;
  typename L::template BatchOf<double>;
};

}  // namespace sde::network
