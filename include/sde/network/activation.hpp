// Activations of hidden units with their first two derivatives.
#pragma once

#include <stdexcept>

#include "sde/core/functions.hpp"
#include "sde/network/architecture.hpp"

namespace sde::network {

/// z -> value, with slope and curvature by way of what `value` computes anyway.
struct Tanh {
  template <class T>
  SDE_INLINE static T value(const T& z) {
    return tanh(z);
  }
  template <class T>
  SDE_INLINE static void linearize(const T& z, T& value, T& slope) {
    value = tanh(z);
    slope = T(1.0) - value * value;
  }
  template <class T>
  SDE_INLINE static T curvature(const T&, const T& value, const T& slope) {
    return T(-2.0) * value * slope;
  }
};
/// max(z, 0)
struct Relu {
  template <class T>
  SDE_INLINE static T value(const T& z) {
    return relu(z);
  }
  template <class T>
  SDE_INLINE static void linearize(const T& z, T& value, T& slope) {
    const auto above = z > T(0.0);
    value = select(above, z, T(0.0));
    slope = select(above, T(1.0), T(0.0));
  }
  template <class T>
  SDE_INLINE static T curvature(const T&, const T&, const T&) {
    return T(0.0);
  }
};
/// log(1 + exp z)
struct Softplus {
  template <class T>
  SDE_INLINE static T value(const T& z) {
    return softplus(z);
  }
  template <class T>
  SDE_INLINE static void linearize(const T& z, T& value, T& slope) {
    value = softplus(z);
    slope = sigmoid(z);
  }
  template <class T>
  SDE_INLINE static T curvature(const T&, const T&, const T& slope) {
    return slope * (T(1.0) - slope);
  }
};
/// z times the normal distribution function of z.
struct Gelu {
  static constexpr double kRootHalf = 0.70710678118654752440, kDensity = 0.39894228040143267794;
  template <class T>
  SDE_INLINE static T value(const T& z) {
    return z * (T(0.5) * (T(1.0) + erf(z * T(kRootHalf))));
  }
  template <class T>
  SDE_INLINE static void linearize(const T& z, T& value, T& slope) {
    const T below = T(0.5) * (T(1.0) + erf(z * T(kRootHalf)));
    value = z * below;
    slope = below + z * (T(kDensity) * exp(T(-0.5) * z * z));
  }
  template <class T>
  SDE_INLINE static T curvature(const T& z, const T&, const T&) {
    return T(kDensity) * exp(T(-0.5) * z * z) * (T(2.0) - z * z);
  }
};

/// use(f) with the activation.
template <class Use>
SDE_INLINE auto with_activation(Activation activation, Use use) {
  switch (activation) {
    case Activation::tanh:
      return use(Tanh());
    case Activation::relu:
      return use(Relu());
    case Activation::softplus:
      return use(Softplus());
    case Activation::gelu:
      break;
  }
  return use(Gelu());
}

}  // namespace sde::network
