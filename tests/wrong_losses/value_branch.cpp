// expect: branches on a comparison of its numbers T
#include "sde/loss/derivatives.hpp"

struct Wrong {
  int dim() const { return 1; }
  template <class T>
  T value(const T* theta) const {
    T sum = 0;
    if (theta[0] > 0) sum += theta[0];
    return sum;
  }
};

void gradient(const sde::Real* theta, sde::Real* out) { sde::loss::gradient_automatic(Wrong{}, theta, out); }
