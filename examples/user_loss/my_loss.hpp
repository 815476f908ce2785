// L = 1/2 f^2 with f = exp(x) y - 1: Gamma is the curve y = exp(-x). All derivatives are automatic.
#pragma once

#include "sde/core/math.hpp"

struct MyLoss {
  static constexpr int Dim = 2, Residuals = 1;  // constants: the kernels keep everything in registers
  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* theta, T* f) const {
    f[0] = exp(theta[0]) * theta[1] - 1.0;
  }
};
