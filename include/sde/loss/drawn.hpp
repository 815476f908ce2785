// Few drawn residuals of many: where each lane finds the data of the sample that it draws.
#pragma once

#include "sde/loss/concepts.hpp"

namespace sde::loss {

/// Inputs and labels of few samples, input k of sample i at [k * kLookupSize + i], labels behind the inputs: lanes that
/// draw different samples look theirs up in registers.
template <class T, DrawnLoss L>
void fill_lookup(const L& loss, scalar_of<T>* table) {
  using S = scalar_of<T>;
  const int n = sample_count(loss), size = loss.input_size();
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < size; ++k) table[k * kLookupSize<S> + i] = static_cast<S>(loss.input(i)[k]);
    table[size * kLookupSize<S> + i] = static_cast<S>(loss.label(i));
  }
}
/// use(input, label) of the sample index[l] of each lane l, from the table. inputs[input_size()] is scratch.
template <class T, DrawnLoss L, class Index, class Use>
SDE_INLINE auto with_looked_up(const L& loss, const scalar_of<T>* table, const Index& index, T* inputs, Use use) {
  using S = scalar_of<T>;
  const int n = sample_count(loss), size = loss.input_size();
  for (int k = 0; k < size; ++k) inputs[k] = lookup<S>(table + k * kLookupSize<S>, n, index);
  return use(static_cast<const T*>(inputs), lookup<S>(table + size * kLookupSize<S>, n, index));
}

/// use(input, label) of the sample picked[l] of each lane l. inputs[input_size()] is scratch.
template <class T, DrawnLoss L, class Use>
SDE_INLINE auto with_drawn(const L& loss, const int (&picked)[lanes_of<T>], T* inputs, Use use) {
  if constexpr (lanes_of<T> == 1) {
    return use(loss.input(picked[0]), loss.label(picked[0]));
  } else {
    using Inputs = Pack<double, lanes_of<T>>;
    const double* input[lanes_of<T>];
    Inputs label;
    for (int l = 0; l < lanes_of<T>; ++l) {
      input[l] = loss.input(picked[l]);
      label.set(l, loss.label(picked[l]));
    }
    const int size = loss.input_size();
    for (int k = 0; k < size; ++k) inputs[k] = convert<scalar_of<T>>(Inputs::gather(input, k));
    return use(static_cast<const T*>(inputs), convert<scalar_of<T>>(label));
  }
}

}  // namespace sde::loss
