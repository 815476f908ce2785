// Valley (theory.md section 7).
#pragma once

#include "sde/loss/concepts.hpp"
#include "sde/loss/described.hpp"

namespace sde::loss {

/// Valley 1/2 h(u) v^2 at theta = (u, v). Gamma = {v = 0}, sharpness h(u).
struct Valley {
  static constexpr int Dim = 2, Residuals = 1;
  enum class Profile { quadratic, exponential };  ///< h = 1 + u^2, or h = exp(c u)
  Profile profile = Profile::quadratic;
  double c = 1.0;

  static constexpr const char *name = "valley", *formula = "1/2 h(u) v^2";
  static WithStart<Valley> make(Keys& keys) {
    const bool quadratic = keys.choice({"profile", "of the sharpness: h = 1 + u^2, or h = exp(c u)"}, "quadratic",
                                       {"quadratic", "exponential"}) == "quadratic";
    const double rate = keys.number({"c", "of the exponential profile"}, 1.0);
    return {{quadratic ? Profile::quadratic : Profile::exponential, rate}, {2.0, 0.0}};
  }

  SDE_DEVICE int dim() const { return 2; }
  SDE_DEVICE int residual_count() const { return 1; }
  /// sqrt(h(u))
  template <class T>
  SDE_DEVICE T root(const T& u) const {
    if (profile == Profile::quadratic) return sqrt(u * u + 1.0);
    return exp(u * (0.5 * c));
  }
  template <class T>
  SDE_DEVICE void residuals(const T* x, T* f) const {
    f[0] = root(x[0]) * x[1];
  }
  template <class T>
  SDE_DEVICE void jacobian(const T* x, T* J) const {
    const T r = root(x[0]);
    const T slope = profile == Profile::quadratic ? x[0] * (T(1.0) / r) : r * (0.5 * c);
    J[0] = slope * x[1];
    J[1] = r;
  }
  template <class T>
  SDE_DEVICE void weighted_hvp(const T* x, const T* w, const T* u, T* out) const {
    const T r = root(x[0]);
    const bool quadratic = profile == Profile::quadratic;
    const T inverse = quadratic ? T(1.0) / r : T(0.0);
    const T first = quadratic ? x[0] * inverse : r * (0.5 * c);
    const T second = quadratic ? inverse * inverse * inverse : r * (0.25 * c * c);
    out[0] = w[0] * (second * x[1] * u[0] + first * u[1]);
    out[1] = w[0] * (first * u[0]);
  }
  template <class T>
  SDE_DEVICE auto intersect_normal(const T* v, T* x) const {
    const T t = x[1] / v[1];
    x[0] -= t * v[0];
    x[1] = T(0.0);
    return !((abs(t) <= T(1e8)) & (abs(x[0]) <= T(1e8)));
  }
};

}  // namespace sde::loss
