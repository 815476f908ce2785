// Sums of products over arrays of numbers or packs, with enough of them at once that they stay in registers.
#pragma once

#include <algorithm>

#include "sde/core/fused.hpp"

namespace sde::network {

/// Entries of a matrix: entry (i, j) is at[i * row + j * column].
template <class T>
struct Entries {
  T* at;
  int row, column;
};

namespace detail {

/// Rows and columns of sums that, with a row of factors, fill the registers: 32 where they have 64 bytes, 16 elsewhere.
template <class T>
inline constexpr bool kOneRegister = lanes_of<T>* static_cast<int>(sizeof(scalar_of<T>)) <= SDE_REGISTER_BYTES;
template <class T>
inline constexpr int kTileRows = !kOneRegister<T>           ? 2
                                 : SDE_REGISTER_BYTES >= 64 ? 8
                                                            : 4;
template <class T>
inline constexpr int kTileColumns = kOneRegister<T>&& SDE_REGISTER_BYTES >= 64 ? 3 : 2;
/// Terms at a time: what they take of a's rows stays in the first cache, in its own lines whatever a's strides are.
inline constexpr int kTerms = 64;

/// Keeps a number in a register: compilers read it from memory for each of its products instead, and a tile's rate is
/// then that of its loads.
template <class T>
SDE_INLINE void hold(T& x) {
  if constexpr (lanes_of<T> != 1) {
    if constexpr (T::kWhole) {
#if SDE_REGISTER_BYTES >= 64
      asm("" : "+v"(x.v));
#else
      asm("" : "+x"(x.v));
#endif
    } else {
      hold(x.lo);
      hold(x.hi);
    }
  }
}

template <int R, int C, class T, class B>
SDE_INLINE void add_tile(int count, const T* left, const Entries<const B>& b, const Entries<T>& c, int i, int j,
                         bool anew) {
  T sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < C; ++s) sum[r][s] = anew ? T(0.0) : c.at[(i + r) * c.row + (j + s) * c.column];
  const B* right = b.at + j * b.column;
  for (int m = 0; m < count; ++m, left += R, right += b.row) {
    T factor[C];
    for (int s = 0; s < C; ++s) factor[s] = T(right[s * b.column]);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      T one = left[r];
      hold(one);
      for (int s = 0; s < C; ++s) sum[r][s] = multiply_add(one, factor[s], sum[r][s]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < C; ++s) c.at[(i + r) * c.row + (j + s) * c.column] = sum[r][s];
}

template <int R, class T, class A, class B>
SDE_INLINE void add_rows(int columns, int count, const Entries<const A>& a, const Entries<const B>& b,
                         const Entries<T>& c, int i, bool anew) {
  T left[R * kTerms];
  for (int first = 0; first < count; first += kTerms) {
    const int terms = std::min(kTerms, count - first);
    for (int m = 0; m < terms; ++m)
      for (int r = 0; r < R; ++r) left[m * R + r] = T(a.at[(i + r) * a.row + (first + m) * a.column]);
    const Entries<const B> rest{b.at + first * b.row, b.row, b.column};
    constexpr int C = kTileColumns<T>;
    int j = 0;
    for (; j + C <= columns; j += C) add_tile<R, C>(terms, left, rest, c, i, j, anew && first == 0);
    for (; j < columns; ++j) add_tile<R, 1>(terms, left, rest, c, i, j, anew && first == 0);
  }
}

}  // namespace detail

/// c(i, j) += sum over m < count of a(i, m) b(m, j), for i < rows, j < columns; each entry's terms in the order of m,
/// each added with one rounding, whatever the tiles are. `anew`: to 0 in place of c(i, j); count is at least 1.
template <class T, class A, class B>
void add_products(int rows, int columns, int count, const Entries<const A>& a, const Entries<const B>& b,
                  const Entries<T>& c, bool anew = false) {
  constexpr int R = detail::kTileRows<T>;
  int i = 0;
  for (; i + R <= rows; i += R) detail::add_rows<R>(columns, count, a, b, c, i, anew);
  for (; i < rows; ++i) detail::add_rows<1>(columns, count, a, b, c, i, anew);
}

}  // namespace sde::network
