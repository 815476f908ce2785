// Neighbouring columns of a row-major matrix, a block at a time: several sums, each in its own order, keep the machine
// busy. Where a number of the matrix is one path's, a block is a pack.
#pragma once

#include <type_traits>

#include "sde/core/buffer.hpp"
#include "sde/core/pack.hpp"

namespace sde {

/// Columns of a block.
inline constexpr int kColumnBlock = 4;

/// kCount values U of neighbouring columns of T.
template <class T, class U, int kCount>
struct Columns {
  using Value = U;
  static constexpr int count = kCount, width = lanes_of<U> / lanes_of<T>, columns = count * width;
  /// Value number u of those that begin at `from`.
  SDE_INLINE static U read(const T* from, int u) {
    if constexpr (std::is_same_v<T, U>)
      return from[u];
    else
      return U::load(from + u * width);
  }
  SDE_INLINE static void write(const U& value, T* to, int u) {
    if constexpr (std::is_same_v<T, U>)
      to[u] = value;
    else
      value.store(to + u * width);
  }
  /// The same of a column of the transposed matrix: the columns' numbers are `stride` apart.
  SDE_INLINE static U read_apart(const T* from, int stride, int u) {
    if constexpr (std::is_same_v<T, U>) {
      return from[u * stride];
    } else {
      const T* rows[width];
      for (int l = 0; l < width; ++l) rows[l] = from + (u * width + l) * stride;
      return U::gather(rows, 0);
    }
  }
};

/// One column at a time.
template <class T>
using OneColumn = Columns<T, T, 1>;
#if defined(__CUDACC__)
/// kColumnBlock columns at a time.
template <class T>
using ColumnBlock = Columns<T, T, kColumnBlock>;
#else
/// kColumnBlock columns at a time.
template <class T>
using ColumnBlock = std::conditional_t<std::is_floating_point_v<T>, Columns<T, Pack<scalar_of<T>, kColumnBlock>, 1>,
                                       Columns<T, T, kColumnBlock> >;
#endif

/// f(block, first) for all columns from .. n - 1; a member of a team takes one column at a time.
template <class T, class Team, class F>
SDE_INLINE void over_columns(int from, int n, const Team& team, F f) {
  if constexpr (kAlone<Team>) {
    int i = from;
    for (; i + kColumnBlock <= n; i += kColumnBlock) f(ColumnBlock<T>{}, i);
    for (; i < n; ++i) f(OneColumn<T>{}, i);
  } else {
    team.each(n - from, [&](int i) { f(OneColumn<T>{}, from + i); });
  }
}

}  // namespace sde
