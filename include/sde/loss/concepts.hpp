// What a loss is. A user writes one of two templates over the scalar type T; every derivative follows by automatic
// differentiation (derivatives.hpp).
//
//   squared loss   L = 1/(2n) sum_i f_i^2     template <class T> void residuals(const T* theta, T* f) const;
//   any other      L                          template <class T> T value(const T* theta) const;
//
// Both need `int dim() const`; a squared loss also `int residual_count() const` (n). Optional: `static constexpr int
// Dim, Residuals` where the sizes are constants: then kernels keep everything in registers.
//
// T holds many paths at once, with derivatives. It adds, subtracts, multiplies and divides with itself, doubles and
// ints. exp, log, sqrt, sin, cos, tan, atan, sinh, cosh, tanh, expm1, log1p, erf, abs and pow(t, p) are called without
// a namespace; outside namespace sde a loss says `using sde::min, sde::max, sde::select;` for those, likewise for
// softplus (log(1 + exp t)), logcosh, relu (max(t, 0), derivative 0 at 0) and sigmoid. Instead of `if (t > 0)`:
// select(t > 0, a, b). What is mistaken is refused in one line (check.hpp, core/refused.hpp). They are
// core/functions.hpp's; of plain doubles outside namespace sde the C library's, whose last digits may be others, but
// for those that a using names.
//
// Members that may be written by hand, for speed. Each has a default; tests/test_members.cpp holds every one that a
// built-in loss has to it, and those which "do the same arithmetic" to the bit.
//
//   member                                      is                                         default
//   jacobian(theta, J)                          J[n*d], row i = grad f_i                   linearize, else automatic
//   pullback(theta, w, g)                       g[d] = J^T w                               jacobian where n = 1,
//   linearize,
//                                                                                          else automatic
//   weighted_hvp(theta, c, u, out)              out[d] = sum_i c_i Hess(f_i) u             derivative of the pullback
//   by
//                                                                                          hand, else automatic
//   gradient(theta, g)                          g[d] = grad L                              pullback of the residuals
//   noisy_gradient(theta, e, g)                 J^T (f + e), n = 1; beside gradient        pullback
//   intersect_normal(v, x)                      n = 1: x goes to Gamma along v; returns    Newton's method
//                                               the lanes where it does not reach it
//   double test_error(const double* theta)      an error on fresh data                     none
//
// Of a loss that is no square:
//
//   gradient(theta, g)                          g[d] = grad L                              automatic
//   hessian(theta, H)                           H[d*d] = Hess L                            automatic
//   third_along(theta, u, out)                  out[d] = grad (u^T Hess(L) u), u constant  automatic
//
// Where few of many residuals are drawn, a stochastic gradient asks for those alone if each path may have its own
// (DrawnLoss): residual i is that of input(i)[input_size()] and label(i), both doubles, and
//   template <class T, class Input, class Value>
//   T linearize(const T* theta, const Input& input, const Value& label, T* gradient) const;
// returns it and writes its gradient[d]. input[j] and label are doubles, or T where each lane has its own; Input is a
// pointer, or what else input(i) gives. With it go, doing the same arithmetic,
//   T residual(int i, const T* theta), T jacobian_entry(int i, int j, const T* theta)
// and, optional, descend(T* theta, input, label, const T& error, const T& eta, T* scratch[d]), the whole step in place:
// theta[k] = theta[k] - rate * gradient[k], where rate = eta * (residual + error).
//
// On a GPU (gpu/device_model.cuh) the members that kernels call (test_error, too) are marked SDE_DEVICE, and a loss
// with data has on_device(upload), which gives the same loss with `upload(array)`, a pointer, in place of each array.
// With constant Dim and Residuals a thread takes a path, as it does of a small dimension. Otherwise a warp shares it,
// and asks entry by entry where the loss has residual(i, theta), jacobian_entry(i, j, theta), pullback_entry(j, theta,
// w), weighted_hvp_entry(j, theta, c, u): the same numbers one at a time.
//
// A built-in loss also describes itself (described.hpp).
#pragma once

#include <concepts>

#include "sde/core/buffer.hpp"
#include "sde/core/functions.hpp"

namespace sde {

template <class L>
concept SquaredLoss = requires(const L& loss, const double* theta, double* f) {
  { loss.dim() } -> std::convertible_to<int>;
  { loss.residual_count() } -> std::convertible_to<int>;
  loss.residuals(theta, f);
};

template <class L>
concept ValueLoss = !SquaredLoss<L> && requires(const L& loss, const double* theta) {
  { loss.dim() } -> std::convertible_to<int>;
  { loss.value(theta) } -> std::convertible_to<double>;
};

template <class L>
concept Loss = SquaredLoss<L> || ValueLoss<L>;

template <class L>
concept HasTestError = requires(const L& loss, const double* theta) {
  { loss.test_error(theta) } -> std::convertible_to<double>;
};

template <class L>
concept DrawnLoss = SquaredLoss<L> && requires(const L& loss, int i, const double* theta, double* gradient) {
  { loss.input_size() } -> std::convertible_to<int>;
  { loss.input(i)[i] } -> std::convertible_to<double>;
  { loss.label(i) } -> std::convertible_to<double>;
  { loss.linearize(theta, theta, *theta, gradient) } -> std::convertible_to<double>;
  { loss.residual(i, theta) } -> std::convertible_to<double>;
  { loss.jacobian_entry(i, i, theta) } -> std::convertible_to<double>;
};

/// What a stochastic gradient draws from: the n residuals of a squared loss, the one term of any other.
template <Loss L>
SDE_DEVICE int sample_count(const L& loss) {
  if constexpr (SquaredLoss<L>)
    return loss.residual_count();
  else
    return 1;
}

/// Compile-time sizes of a loss, kDynamic where it does not state them.
template <class L>
constexpr int dim_of = [] {
  if constexpr (requires { L::Dim; })
    return L::Dim;
  else
    return kDynamic;
}();
/// n where it is a constant of the loss, else kDynamic.
template <class L>
constexpr int residuals_of = [] {
  if constexpr (requires { L::Residuals; })
    return L::Residuals;
  else
    return kDynamic;
}();

}  // namespace sde
