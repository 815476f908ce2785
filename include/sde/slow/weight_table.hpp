// The weights of a linear algorithm's slow SDE (linear_algorithm.hpp), tabulated for the step loop: their ratio to
// those of SGD at the same diffusion, F = 2 b (lambda_i + lambda_j) w, where 1/b is the factor of the diffusion. It
// depends on x = eta lambda alone, so that one table serves every learning rate. F is not smooth at (0, 0), of SGD it
// is (x + y)/(x + y - x y); G = (x + y)/F is, so that of pairs of two x the table has
//   Q = (G(x, y) - G(x, 0) - G(0, y)) (x + scale) (y + scale)/(x y),
// and of one x the curves F(x, x) and F(x, 0). Chebyshev sums in t = 2 log(1 + x/scale)/log(1 + most/scale) - 1, which
// is fine where x is small: what workers do not exchange for long has its scale at x of about 1/H.
#pragma once

#include <limits>

#include "sde/core/math.hpp"

namespace sde::slow {

/// Plain values and a pointer: what a kernel reads. Without terms there is no table.
struct WeightTable {
  /// Most terms in each variable.
  static constexpr int kMost = 64;

  int terms = 0;  ///< in each variable
  double scale = 0, inverse_scale = 0, slope = 0;
  double most = 0;                       ///< x beyond has no weight (not a number)
  const double* coefficients = nullptr;  ///< of the curves (x, 0) and (x, x), of Q(x, y): [terms][terms]

  SDE_DEVICE explicit operator bool() const { return terms > 0; }
  /// Numbers behind `coefficients`.
  SDE_DEVICE int size() const { return terms * (terms + 2); }

  /// t of x.
  template <class T>
  SDE_INLINE T coordinate(const T& x) const {
    const T t = T(slope) * sde::detail::log_kernel(T(1.0) + x * T(inverse_scale)) - T(1.0);
    return select(x <= T(most), t, T(std::numeric_limits<double>::quiet_NaN()));
  }
  /// The ratios of (x, x) and (x, 0) at x's coordinate t.
  template <class T>
  SDE_INLINE void curves(const T& t, T& own, T& mixed) const {
    const double *e = coefficients, *d = coefficients + terms;
    const T twice = t + t;
    T before = T(1.0), here = t;
    mixed = T(e[0]) + T(e[1]) * t;
    own = T(d[0]) + T(d[1]) * t;
    for (int k = 2; k < terms; ++k) {
      const T next = twice * here - before;
      mixed += T(e[k]) * next;
      own += T(d[k]) * next;
      before = here;
      here = next;
    }
  }
  /// row[terms]: the sum's coefficients in the second variable, the first being at t. Row after row of the table, so
  /// that a coefficient is a sum of `terms` products.
  template <class T>
  SDE_DEVICE void row(const T& t, T* row) const {
    const double* const c = coefficients + 2 * terms;
    const T twice = t + t;
    T before = T(1.0), here = t;
    for (int k = 0; k < terms; ++k) row[k] = T(c[k]) + T(c[terms + k]) * t;
    for (int m = 2; m < terms; ++m) {
      const T next = twice * here - before;
      for (int k = 0; k < terms; ++k) row[k] += T(c[m * terms + k]) * next;
      before = here;
      here = next;
    }
  }
  /// Q(x, y): x's row at y's coordinate t.
  template <class T>
  SDE_INLINE T at(const T* row, const T& t) const {
    const T twice = t + t;
    T before = T(1.0), here = t;
    T sum = row[0] + row[1] * t;
    for (int k = 2; k < terms; ++k) {
      const T next = twice * here - before;
      sum += row[k] * next;
      before = here;
      here = next;
    }
    return sum;
  }
};

}  // namespace sde::slow
