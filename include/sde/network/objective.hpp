// The objective of one sample as a function of the outputs o[classes] and of the weights q[classes] of the classes,
// which sum to 1: q = 1 of the sample's class, or what a redrawn label leaves of it in the mean.
#pragma once

#include "sde/core/functions.hpp"
#include "sde/network/architecture.hpp"

namespace sde::network {

/// Cross-entropy: log sum_c exp o_c - sum_c q_c o_c.
struct CrossEntropy {
  /// p[classes] = softmax(o); returns log sum exp o.
  template <class T>
  static T softmax(int classes, const T* o, T* p) {
    T most = o[0];
    for (int c = 1; c < classes; ++c) most = select(most < o[c], o[c], most);
    T sum = T(0.0);
    for (int c = 0; c < classes; ++c) {
      p[c] = exp(o[c] - most);
      sum += p[c];
    }
    const T inverse = T(1.0) / sum;
    for (int c = 0; c < classes; ++c) p[c] = p[c] * inverse;
    return most + log(sum);
  }
  /// Returns the objective; error[classes] = its gradient in o. q(c) is the weight of class c.
  template <class T, class Q>
  static T linearize(int classes, const T* o, Q q, T* error) {
    T value = softmax(classes, o, error);
    for (int c = 0; c < classes; ++c) {
      value -= q(c) * o[c];
      error[c] = error[c] - q(c);
    }
    return value;
  }
  /// change[classes] = the change of the gradient, to first order, where o changes by move[classes]; error as above.
  template <class T, class Q>
  static void second(int classes, const T* error, Q q, const T* move, T* change) {
    T mean = T(0.0);
    for (int c = 0; c < classes; ++c) mean += (error[c] + q(c)) * move[c];
    for (int c = 0; c < classes; ++c) change[c] = (error[c] + q(c)) * (move[c] - mean);
  }
};

/// Squared: the mean over q of 1/2 sum_k (o_k - [k = c])^2, which is 1/2 (|o|^2 + 1) - sum_c q_c o_c.
struct Squared {
  template <class T, class Q>
  static T linearize(int classes, const T* o, Q q, T* error) {
    T value = T(0.5);
    for (int c = 0; c < classes; ++c) {
      value += (T(0.5) * o[c] - q(c)) * o[c];
      error[c] = o[c] - q(c);
    }
    return value;
  }
  template <class T, class Q>
  static void second(int classes, const T*, Q, const T* move, T* change) {
    for (int c = 0; c < classes; ++c) change[c] = move[c];
  }
};

/// use(f) with the objective.
template <class Use>
SDE_INLINE auto with_objective(Objective objective, Use use) {
  if (objective == Objective::squared) return use(Squared());
  return use(CrossEntropy());
}

}  // namespace sde::network
