// Says in one line what a class lacks to be a loss (concepts.hpp), or which of its members has another form than the
// one that is called.
#pragma once

#include <type_traits>

#include "sde/core/dual_functions.hpp"
#include "sde/loss/concepts.hpp"

namespace sde::loss {

namespace check_detail {

// Whether L has a member of that name, whatever its form: in a class that inherits the name twice it is ambiguous.
struct Names {
  int dim, residual_count, residuals, value, jacobian, pullback, weighted_hvp, gradient, noisy_gradient, hessian,
      third_along, intersect_normal, test_error;
};
template <class L>
struct Both : L, Names {};

#define SDE_NAMES(CONCEPT, MEMBER) \
  template <class L>               \
  concept CONCEPT = !requires {    \
    &Both<L>::MEMBER;              \
  };
SDE_NAMES(NamesDim, dim)
SDE_NAMES(NamesCount, residual_count)
SDE_NAMES(NamesResiduals, residuals)
SDE_NAMES(NamesValue, value)
SDE_NAMES(NamesJacobian, jacobian)
SDE_NAMES(NamesPullback, pullback)
SDE_NAMES(NamesWeightedHvp, weighted_hvp)
SDE_NAMES(NamesGradient, gradient)
SDE_NAMES(NamesNoisyGradient, noisy_gradient)
SDE_NAMES(NamesHessian, hessian)
SDE_NAMES(NamesThirdAlong, third_along)
SDE_NAMES(NamesIntersectNormal, intersect_normal)
SDE_NAMES(NamesTestError, test_error)
#undef SDE_NAMES

using Varied = Dual<double, 1>;  // a T that is no double

template <class L>
concept HasDim = requires(const L& loss) {
  { loss.dim() } -> std::convertible_to<int>;
};
template <class L>
concept HasCount = requires(const L& loss) {
  { loss.residual_count() } -> std::convertible_to<int>;
};
template <class L, class T>
concept TakesResiduals = requires(const L& loss, const T* x, T* f) {
  loss.residuals(x, f);
};
template <class L>
concept ChangesItself = requires(L& loss, const double* x, double* f) {
  loss.residuals(x, f);
}
|| requires(L& loss, const double* x) { loss.value(x); };
template <class L>
concept ChangesTheta = requires(const L& loss, double* x) {
  { loss.residuals(x, x) } -> std::same_as<void>;
}
|| requires(const L& loss, double* x) {
  { loss.value(x) } -> std::same_as<double>;
};
template <class L, class T>
concept TakesValue = requires(const L& loss, const T* x) {
  { loss.value(x) } -> std::convertible_to<T>;
};

}  // namespace check_detail

/// Of a class L that is not final. `ok` where it is a loss; else a static_assert says why not.
template <class L>
struct Checked {
 private:
  static constexpr bool squared = check_detail::NamesResiduals<L>, named = squared || check_detail::NamesValue<L>;
  static constexpr bool at_doubles =
      squared ? check_detail::TakesResiduals<L, double> : check_detail::TakesValue<L, double>;
  static constexpr bool at_any = squared ? check_detail::TakesResiduals<L, check_detail::Varied>
                                         : check_detail::TakesValue<L, check_detail::Varied>;
  static constexpr bool changes_itself = named && !at_doubles && check_detail::ChangesItself<L>;
  static constexpr bool changes_theta = named && !at_doubles && !changes_itself && check_detail::ChangesTheta<L>;
  static constexpr bool bad_form = named && !at_doubles && !changes_itself && !changes_theta;
  static constexpr bool no_template = at_doubles && !at_any;

  static_assert(named,
                "a loss needs residuals or value: expected `template <class T> void residuals(const T* theta, T* f) "
                "const` (a squared loss) or `template <class T> T value(const T* theta) const` (any other)");
  static_assert(!named || check_detail::NamesDim<L>,
                "a loss needs dim: expected `int dim() const`, the number of entries of theta");
  static_assert(!check_detail::NamesDim<L> || check_detail::HasDim<L>,
                "dim has another form: expected `int dim() const`, the number of entries of theta");
  static_assert(!squared || check_detail::NamesCount<L>,
                "a loss with residuals needs residual_count: expected `int residual_count() const`, their number n");
  static_assert(!check_detail::NamesCount<L> || check_detail::HasCount<L>,
                "residual_count has another form: expected `int residual_count() const`, the number n of residuals");
  static_assert(!changes_itself,
                "residuals or value is not const: expected `template <class T> void residuals(const T* theta, T* f) "
                "const` or `template <class T> T value(const T* theta) const`");
  static_assert(!changes_theta,
                "residuals or value takes a theta that it could write to: expected `template <class T> void "
                "residuals(const T* theta, T* f) const` or `template <class T> T value(const T* theta) const`");
  static_assert(!bad_form || !squared,
                "residuals has another form: expected `template <class T> void residuals(const T* theta, T* f) const`, "
                "which writes f[0], ..., f[n - 1]");
  static_assert(!bad_form || squared,
                "value has another form: expected `template <class T> T value(const T* theta) const`");
  static_assert(!no_template,
                "residuals or value is not a template: expected `template <class T> void residuals(const T* theta, T* "
                "f) const` or `template <class T> T value(const T* theta) const`, since derivatives come with numbers "
                "T other than double");

#define SDE_FORM(NAMES, CALL, EXPECTED) \
  static_assert(                        \
      !check_detail::NAMES<L> || requires(const L& l, const double* in, double* out) { CALL; }, EXPECTED);
  SDE_FORM(NamesJacobian, l.jacobian(in, out),
           "jacobian has another form: expected `template <class T> void jacobian(const T* theta, T* J) const`")
  SDE_FORM(NamesPullback, l.pullback(in, in, out),
           "pullback has another form: expected `template <class T> void pullback(const T* theta, const T* w, T* g) "
           "const`")
  SDE_FORM(NamesWeightedHvp, l.weighted_hvp(in, in, in, out),
           "weighted_hvp has another form: expected `template <class T> void weighted_hvp(const T* theta, const T* c, "
           "const T* u, T* out) const`")
  SDE_FORM(NamesGradient, l.gradient(in, out),
           "gradient has another form: expected `template <class T> void gradient(const T* theta, T* g) const`")
  SDE_FORM(NamesNoisyGradient, l.noisy_gradient(in, *in, out),
           "noisy_gradient has another form: expected `template <class T> void noisy_gradient(const T* theta, const T& "
           "error, T* g) const`")
  SDE_FORM(NamesHessian, l.hessian(in, out),
           "hessian has another form: expected `template <class T> void hessian(const T* theta, T* H) const`")
  SDE_FORM(NamesThirdAlong, l.third_along(in, in, out),
           "third_along has another form: expected `template <class T> void third_along(const T* theta, const T* u, T* "
           "out) const`")
  SDE_FORM(NamesIntersectNormal, l.intersect_normal(in, out),
           "intersect_normal has another form: expected `template <class T> auto intersect_normal(const T* v, T* x) "
           "const`")
  SDE_FORM(NamesTestError, l.test_error(in),
           "test_error has another form: expected `double test_error(const double* theta) const`")
#undef SDE_FORM

 public:
  static constexpr bool ok = Loss<L> && at_any;
};
/// A class that nothing can be derived from is asked whether it is a loss, no more.
template <class L>
requires std::is_final_v<L>
struct Checked<L> {
  static constexpr bool ok = Loss<L>;
  static_assert(ok, "not a loss: expected the members of sde/loss/concepts.hpp (and no `final`, for a closer look)");
};

/// What a loss's template does wrong is met here first, close to the place that asks for a model, and not deep inside a
/// kernel. Only to be named, in code that comes before the kernels.
template <Loss L, class T>
SDE_DEVICE void met_first(const L& loss, const T* theta, T* out) {
  if constexpr (SquaredLoss<L>)
    loss.residuals(theta, out);
  else
    *out = loss.value(theta);
}

}  // namespace sde::loss
