// Numbers that stand in a row for each lane, as packs.
#pragma once

#include <utility>

#include "sde/core/pack.hpp"

namespace sde {
inline namespace SDE_SIMD_NAMESPACE {

namespace transpose_detail {

/// Swaps the lanes of a with bit `step` of their number set for those of b without: step by step, W packs of W lanes
/// are transposed.
template <int step, class V, int... l>
SDE_INLINE void exchange(V& a, V& b, std::integer_sequence<int, l...>) {
  constexpr int W = sizeof...(l);
  const V low = __builtin_shufflevector(a, b, ((l & step) ? W + (l ^ step) : l)...);
  b = __builtin_shufflevector(a, b, ((l & step) ? W + l : l ^ step)...);
  a = low;
}

template <int step, class S, int W>
SDE_INLINE void exchange_all(Pack<S, W> (&rows)[W]) {
  if constexpr (step > 0) {
    for (int i = 0; i < W; ++i)
      if ((i & step) == 0) exchange<step>(rows[i].v, rows[i + step].v, std::make_integer_sequence<int, W>());
    exchange_all<step / 2>(rows);
  }
}

}  // namespace transpose_detail

/// Lane l of to[j] = from[l][j], j < count.
template <class S, int W>
void load_rows(const S* const* from, int count, Pack<S, W>* to) {
  int j = 0;
  if constexpr (W > 1) {
    if constexpr (Pack<S, W>::kWhole)
      for (; j + W <= count; j += W) {
        Pack<S, W> rows[W];
        for (int l = 0; l < W; ++l) rows[l] = Pack<S, W>::load(from[l] + j);
        transpose_detail::exchange_all<W / 2>(rows);
        for (int l = 0; l < W; ++l) to[j + l] = rows[l];
      }
  }
  for (; j < count; ++j)
    for (int l = 0; l < W; ++l) to[j].set(l, from[l][j]);
}

}  // namespace SDE_SIMD_NAMESPACE
}  // namespace sde
