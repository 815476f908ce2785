// Sums of products over arrays of numbers or packs, with enough of them at once that they stay in registers.
#pragma once

#include "sde/core/pack.hpp"

namespace sde::network {

/// Entries of a matrix: entry (i, j) is at[i * row + j * column].
template <class T>
struct Entries {
  T* at;
  int row, column;
};

namespace detail {

/// Rows and columns of sums that fill the registers: 32 where they have 64 bytes, 16 elsewhere.
template <class T>
inline constexpr int kTileRows = lanes_of<T>* static_cast<int>(sizeof(scalar_of<T>)) <= SDE_REGISTER_BYTES ? 4 : 2;
inline constexpr int kTileColumns = SDE_REGISTER_BYTES >= 64 ? 4 : 2;

template <int R, int C, class T, class A, class B>
SDE_INLINE void add_tile(int count, const Entries<const A>& a, const Entries<const B>& b, const Entries<T>& c, int i,
                         int j) {
  T sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < C; ++s) sum[r][s] = c.at[(i + r) * c.row + (j + s) * c.column];
  const A* left = a.at + i * a.row;
  const B* right = b.at + j * b.column;
  for (int m = 0; m < count; ++m, left += a.column, right += b.row) {
    T factor[C];
    for (int s = 0; s < C; ++s) factor[s] = T(right[s * b.column]);
    for (int r = 0; r < R; ++r) {
      const T one = T(left[r * a.row]);
      for (int s = 0; s < C; ++s) sum[r][s] += one * factor[s];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < C; ++s) c.at[(i + r) * c.row + (j + s) * c.column] = sum[r][s];
}

template <int R, class T, class A, class B>
SDE_INLINE void add_rows(int columns, int count, const Entries<const A>& a, const Entries<const B>& b,
                         const Entries<T>& c, int i) {
  int j = 0;
  for (; j + kTileColumns <= columns; j += kTileColumns) add_tile<R, kTileColumns>(count, a, b, c, i, j);
  for (; j < columns; ++j) add_tile<R, 1>(count, a, b, c, i, j);
}

}  // namespace detail

/// c(i, j) += sum over m < count of a(i, m) b(m, j), for i < rows, j < columns; each entry's terms in the order of m,
/// whatever the tiles are.
template <class T, class A, class B>
void add_products(int rows, int columns, int count, const Entries<const A>& a, const Entries<const B>& b,
                  const Entries<T>& c) {
  int i = 0;
  for (; i + detail::kTileRows<T> <= rows; i += detail::kTileRows<T>)
    detail::add_rows<detail::kTileRows<T>>(columns, count, a, b, c, i);
  for (; i < rows; ++i) detail::add_rows<1>(columns, count, a, b, c, i);
}

}  // namespace sde::network
