// Plane rotations of neighbouring rows on their way through a matrix, beside other work.
#pragma once

#include "sde/core/columns.hpp"

namespace sde::detail {

/// Rows i and i + 1 turn by (cosine[i], sine[i]), i = last down to first.
struct Rotations {
  int first, last;
  SDE_INLINE int count() const { return last - first + 1; }
};

#if defined(__CUDACC__)
inline constexpr bool kWorksBeside = false;  ///< a GPU's thread takes its instructions in order
#else
inline constexpr bool kWorksBeside = true;
#endif

/// Rows i and i + 1 of `Block` of the columns of Q[n*n], which begin at Q, turn, i = from down to `to`. Row from + 1 is
/// in `carried` instead, which is left holding row `to`.
template <class Block, class T>
SDE_INLINE void turn(int n, int from, int to, const T* cosine, const T* sine, T* Q, typename Block::Value* carried) {
  using U = typename Block::Value;
  for (int i = from; i >= to; --i) {
    const U c(cosine[i]), s(sine[i]);
    T *const here = Q + i * n, *const next = here + n;
    for (int u = 0; u < Block::count; ++u) {
      const U z = Block::read(here, u);
      Block::write(s * z + c * carried[u], next, u);
      carried[u] = c * z - s * carried[u];
    }
  }
}

/// In the place of other work: none.
struct Idle {
  SDE_INLINE int pace(int) const { return 0; }
  SDE_INLINE void some(int) const {}
};

/// Rotations of the rows of Q[n*n], some at a time between other work, which they wait for as little as it for them.
template <class T>
class Turning {
 public:
  SDE_INLINE Turning(int n, T* Q) : n_(n), Q_(Q), column_(n) {}
  /// Takes up these; the former ones must be finished.
  SDE_INLINE void begin(const Rotations& all, const T* cosine, const T* sine) {
    all_ = all;
    cosine_ = cosine;
    sine_ = sine;
    column_ = 0;
    i_ = all.last;
  }
  /// The count for some() with which that many calls finish.
  SDE_INLINE int pace(int calls) const {
    const int left = n_ - column_, blocks = left / kColumnBlock + left % kColumnBlock;
    return (blocks * all_.count() + calls - 1) / calls;
  }
  /// The next `count` rotations, of one block of columns each.
  SDE_INLINE void some(int count) {
    while (count > 0 && column_ < n_) {
      if (column_ + kColumnBlock <= n_)
        turn_block<ColumnBlock<T>>(count);
      else
        turn_block<OneColumn<T>>(count);
    }
  }
  SDE_INLINE void finish() {
    while (column_ < n_) some(all_.count());
  }

 private:
  template <class Block>
  SDE_INLINE void turn_block(int& count) {
    T* const Q = Q_ + column_;
    const T* const from = i_ == all_.last ? Q + (all_.last + 1) * n_ : carried_;
    typename Block::Value carried[Block::count];
    for (int u = 0; u < Block::count; ++u) carried[u] = Block::read(from, u);
    const int to = i_ - count + 1 > all_.first ? i_ - count + 1 : all_.first;
    turn<Block>(n_, i_, to, cosine_, sine_, Q, carried);
    count -= i_ - to + 1;
    i_ = to - 1;
    T* const into = to > all_.first ? carried_ : Q + all_.first * n_;
    for (int u = 0; u < Block::count; ++u) Block::write(carried[u], into, u);
    if (to == all_.first) {
      column_ += Block::columns;
      i_ = all_.last;
    }
  }

  const int n_;
  T* const Q_;
  const T *cosine_ = nullptr, *sine_ = nullptr;
  Rotations all_{0, -1};
  int column_, i_ = 0;
  T carried_[kColumnBlock];
};

}  // namespace sde::detail
