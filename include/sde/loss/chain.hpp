// Chain (theory.md section 7).
#pragma once

#include "sde/loss/concepts.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

/// Chain 1/2 (w_1 ... w_D - 1)^2 of depth D >= 2: a deep linear network of width one.
struct Chain {
  static constexpr int Residuals = 1;
  int depth = 3;

  static constexpr const char *name = "chain", *formula = "1/2 (w_1 ... w_D - 1)^2";
  static WithStart<Chain> make(Keys& keys) {
    const int depth = static_cast<int>(keys.integer({"depth", "D, the number of factors"}, 3, 2, 1000));
    std::vector<double> start(static_cast<std::size_t>(depth), 1.0);
    start.front() = 2;
    start.back() = 0.5;
    return {{depth}, start};
  }

  SDE_DEVICE int dim() const { return depth; }
  SDE_DEVICE int residual_count() const { return 1; }
  template <class T>
  SDE_DEVICE void residuals(const T* w, T* f) const {
    T product = w[0];
    for (int i = 1; i < depth; ++i) product = product * w[i];
    f[0] = product - 1.0;
  }
  /// Products of all factors but one, from the left and from the right: no division, so zeros are allowed.
  template <class T>
  SDE_DEVICE void jacobian(const T* w, T* J) const {
    J[0] = T(1.0);
    for (int i = 1; i < depth; ++i) J[i] = J[i - 1] * w[i - 1];
    T right = w[depth - 1];
    for (int i = depth - 2; i >= 0; --i) {
      J[i] = J[i] * right;
      right = right * w[i];
    }
  }
};

}  // namespace sde::loss
