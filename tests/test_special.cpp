// Elementary functions of losses: against long double, at their ends, the same bits in lanes of any width and alone,
// and their derivatives.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "sde/core/dual_functions.hpp"

using namespace sde;

namespace {

using Exact = long double;
constexpr int kPoints = 100'000;

/// Point i of n: the golden ratio's multiples fill [lo, hi] evenly; in the logarithm, with both signs, where `decades`.
template <class S>
S point(int i, double lo, double hi, bool decades) {
  const double u = std::fmod(0.5 + i * (std::numbers::phi - 1), 1.0);
  if (!decades) return static_cast<S>(lo + u * (hi - lo));
  const double x = std::exp(std::log(lo) + u * (std::log(hi) - std::log(lo)));
  return static_cast<S>(i % 2 ? x : -x);
}
/// |got - exact| in units of the last place of the exact value, of a normal number; 0 where both leave the range.
template <class S>
double ulps(S got, Exact exact) {
  const auto rounded = static_cast<S>(exact);
  if (!std::isfinite(rounded) || !std::isfinite(got))
    return rounded == got || (std::isnan(rounded) && std::isnan(got)) ? 0 : 1e9;
  if (std::abs(exact) < std::numeric_limits<S>::min()) return 0;
  const Exact unit = std::ldexp(std::numeric_limits<S>::epsilon(), std::ilogb(exact));
  return static_cast<double>(std::abs(got - exact) / unit);
}
struct Worst {
  double error = 0, at = 0;
  void see(double e, double x) {
    if (!(e <= error)) error = e, at = x;
  }
};
/// f in lanes of S against `exact` over [lo, hi].
template <class S, class F>
void check_range(F f, Exact exact(Exact), double most, double lo, double hi, bool decades) {
  constexpr int W = kKernelLanes<S>;
  Worst worst;
  for (int i = 0; i < kPoints; i += W) {
    Pack<S, W> x;
    for (int l = 0; l < W; ++l) x.set(l, point<S>(i + l, lo, hi, decades));
    const auto y = f(x);
    for (int l = 0; l < W; ++l) worst.see(ulps(y[l], exact(x[l])), x[l]);
  }
  CAPTURE(lo);
  CAPTURE(hi);
  CAPTURE(worst.at);
  CHECK(worst.error <= most);
}

Exact exact_softplus(Exact x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
Exact exact_logcosh(Exact x) {
  const Exact a = std::abs(x), s = std::sinh(a / 2);
  return a < 2 ? std::log1p(2 * s * s) : a + std::log1p(std::exp(-2 * a)) - std::numbers::ln2_v<Exact>;
}
Exact exact_relu(Exact x) { return x > 0 ? x : 0; }
Exact exact_sigmoid(Exact x) { return 1 / (1 + std::exp(-x)); }

/// visit(name, f, exact, errors of doubles and of floats in units of the last place, whether f is odd), of each
/// function.
template <class Visit>
void each_function(Visit visit) {
#define FUNCTION(NAME, EXACT, ...) \
  visit(                           \
      #NAME, [](const auto& x) { return sde::NAME(x); }, [](Exact x) -> Exact { return EXACT(x); }, __VA_ARGS__);
  FUNCTION(sin, std::sin, 0.8, 1.5, true)
  FUNCTION(cos, std::cos, 0.8, 1.5, false)
  FUNCTION(tan, std::tan, 2.2, 2.9, true)
  FUNCTION(atan, std::atan, 0.9, 0.9, true)
  FUNCTION(sinh, std::sinh, 2.5, 2.2, true)
  FUNCTION(cosh, std::cosh, 1.4, 1.5, false)
  FUNCTION(expm1, std::expm1, 2.2, 2.0, true)
  FUNCTION(log1p, std::log1p, 1.6, 1.6, true)
  FUNCTION(erf, std::erf, 1.5, 1.4, true)
  FUNCTION(softplus, exact_softplus, 2.0, 2.0, false)
  FUNCTION(logcosh, exact_logcosh, 3.1, 3.0, false)
  FUNCTION(relu, exact_relu, 0, 0, false)
  FUNCTION(sigmoid, exact_sigmoid, 2.5, 2.5, false)
#undef FUNCTION
}

template <class S>
struct Ends {
  static constexpr double tiny = sizeof(S) == 8 ? 1e-307 : 1e-37, huge = sizeof(S) == 8 ? 1.7e308 : 3.3e38;
  static constexpr double largest_exp = sizeof(S) == 8 ? 712 : 90;
};

template <class S>
void check_accuracy() {
  each_function([](std::string name, auto f, auto exact, double in_double, double in_float, bool) {
    CAPTURE(name);
    const double most = sizeof(S) == 8 ? in_double : in_float;
    check_range<S>(f, exact, most, -1, 1, false);
    check_range<S>(f, exact, most, -8, 8, false);
    check_range<S>(f, exact, most, -Ends<S>::largest_exp, Ends<S>::largest_exp, false);
    check_range<S>(f, exact, most, Ends<S>::tiny, 1, true);
    check_range<S>(f, exact, most, 1, Ends<S>::huge, true);
  });
}

}  // namespace

TEST_CASE("functions over the whole range of doubles, relative to their values") { check_accuracy<double>(); }
TEST_CASE("functions over the whole range of floats") { check_accuracy<float>(); }

TEST_CASE("sine, cosine and tangent at the numbers nearest to multiples of pi/2") {
  Worst of[2][3];
  const auto see = [&]<class S>(S x0, Worst* worst) {
    for (const S x : {x0, std::nextafter(x0, S(0)), std::nextafter(x0, S(1e30))}) {
      worst[0].see(ulps(sde::sin(x), std::sin(Exact(x))), x);
      worst[1].see(ulps(sde::cos(x), std::cos(Exact(x))), x);
      worst[2].see(ulps(sde::tan(x), std::tan(Exact(x))), x);
    }
  };
  for (int k = 1; k < 200'000; ++k) {  // both sides of 2^17
    const Exact x = k * (std::numbers::pi_v<Exact> / 2);
    see(static_cast<double>(x), of[0]);
    see(static_cast<float>(x), of[1]);
  }
  // The double nearest to a multiple of all: 2^-61 from it.
  see(std::ldexp(6381956970095103.0, 797), of[0]);
  for (const auto& worst : of) {
    CHECK(worst[0].error <= 1.5);
    CHECK(worst[1].error <= 1.5);
    CHECK(worst[2].error <= 2.9);
  }
}

TEST_CASE("powers: multiples of 1/2, other exponents, their signs and ends") {
  const auto check_power = []<class S>(double p, double most, S) {
    CAPTURE(p);
    Worst worst;
    for (int i = 0; i < kPoints / 4; ++i)
      for (const bool decades : {false, true}) {
        const S x = std::abs(point<S>(i, decades ? Ends<S>::tiny : 0.25, decades ? Ends<S>::huge : 4, decades));
        worst.see(ulps(sde::pow(x, p), std::pow(Exact(x), Exact(p))), x);
      }
    CAPTURE(worst.at);
    CHECK(worst.error <= most);
  };
  for (const double p : {0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 3.0, 4.0, -4.0}) {
    const double most = p < -1 ? 3.6 : 1.9;
    check_power(p, most, 1.0);
    check_power(p, most, 1.0f);
  }
  for (const double p : {0.3, -0.7, 2.5, -3.5, 7.0, 33.25, 0.01, -200.5, 1e-6}) {
    check_power(p, 1.1, 1.0);
    check_power(p, 1.1, 1.0f);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double p : {0.3, -0.3, 0.5, -0.5, 5.0, -5.0, 6.0, 2.0}) {
    for (const double x : {0.0, infinity, 5e-324, 1e-310})
      CHECK(ulps(sde::pow(x, p), std::pow(Exact(x), Exact(p))) <= 2);
    for (const double x : {-2.0, std::nan("")}) {
      const double c = std::pow(x, p), own = sde::pow(x, p);
      CHECK((std::isnan(c) ? std::isnan(own) : own == doctest::Approx(c).epsilon(1e-15)));
    }
  }
  CHECK(sde::pow(Real(-3.0), Real(5.0))[0] == -243);
  CHECK(sde::pow(2, 10) == 1024);
}

TEST_CASE("infinities, zeros with their signs, and not a number") {
  const double infinity = std::numeric_limits<double>::infinity();
  each_function([&](std::string name, auto f, auto exact, double, double, bool odd) {
    CAPTURE(name);
    CHECK(std::isnan(f(std::nan(""))));
    CHECK(std::isnan(f(std::numeric_limits<float>::quiet_NaN())));
    for (const double x : {infinity, -infinity, 0.0, -1.0}) {
      const auto limit = static_cast<double>(exact(x));
      CHECK((std::isnan(limit) ? std::isnan(f(x)) : ulps(f(x), exact(x)) <= 3));
      CHECK((std::isnan(limit) ? std::isnan(f(float(x))) : ulps(f(float(x)), exact(x)) <= 3));
    }
    if (!odd) return;
    for (const double x : {0.0, -0.0, 1e-310, -1e-310}) {
      CHECK(f(x) == doctest::Approx(static_cast<double>(exact(x))));
      CHECK(std::signbit(f(x)) == std::signbit(x));
    }
    CHECK(std::signbit(f(-0.0f)));
  });
  CHECK(std::isnan(sde::log1p(-1.5)));
  CHECK(sde::softplus(-745.0) > 0);  // below the normal numbers, not zero yet
  CHECK(sde::softplus(1e308) == 1e308);
  CHECK(sde::logcosh(-1.7e308) == 1.7e308);
  CHECK(std::isfinite(sde::sinh(710.4)));
  CHECK(std::isfinite(sde::cosh(710.4)));
}

namespace {

/// f of each x in lanes of a pack of W, which x fill in turn.
template <class S, int W, class F>
std::vector<S> in_lanes(F f, const std::vector<S>& x) {
  std::vector<S> y(x.size());
  for (std::size_t i = 0; i < x.size(); i += W) {
    Pack<S, W> p(S(0.5));
    for (int l = 0; l < W && i + l < x.size(); ++l) p.set(l, x[i + l]);
    p = f(p);
    for (int l = 0; l < W && i + l < x.size(); ++l) y[i + l] = p[l];
  }
  return y;
}
template <class S, class F>
void check_widths(F f) {
  std::vector<S> x;
  for (int i = 0; i < 500; ++i)
    for (const double end : {2.0, 800.0, 1e6, static_cast<double>(std::numeric_limits<S>::max())})
      x.push_back(static_cast<S>(end * std::sin(i * 1.3 + end)));
  std::vector<S> alone;
  for (const S v : x) alone.push_back(f(v));
  const auto same = [&](const std::vector<S>& y) {
    for (std::size_t i = 0; i < x.size(); ++i)
      if (BitsOf<S>::bits(y[i]) != BitsOf<S>::bits(alone[i]) && !(std::isnan(y[i]) && std::isnan(alone[i])))
        return false;
    return true;
  };
  CHECK(same(in_lanes<S, 1>(f, x)));
  CHECK(same(in_lanes<S, 2>(f, x)));
  CHECK(same(in_lanes<S, 4>(f, x)));
  CHECK(same(in_lanes<S, 8>(f, x)));
  CHECK(same(in_lanes<S, 32>(f, x)));
}

}  // namespace

TEST_CASE("the same bits in packs of any width, beside any neighbours, and alone") {
  each_function([](std::string name, auto f, auto, double, double, bool) {
    CAPTURE(name);
    check_widths<double>(f);
    check_widths<float>(f);
  });
  for (const double p : {2.0, 1.5, 0.3, -7.0}) {
    check_widths<double>([p](const auto& x) { return sde::pow(x, p); });
    check_widths<float>([p](const auto& x) { return sde::pow(x, p); });
  }
}

namespace {

/// f and its first three derivatives at x, of numbers B, from lane l.
template <class B, class F>
std::vector<double> derivatives(F f, double x, int l = 0) {
  using One = Dual<B, 1>;
  using Two = Dual<One, 1>;
  Dual<Two, 1> t = Dual<Two, 1>(x);
  t.v.v.d[0] = B(1.0);
  t.v.d[0] = One(1.0);
  t.d[0] = Two(1.0);
  const auto y = f(t);
  std::vector<double> all;
  for (const B& k : {y.v.v.v, y.v.v.d[0], y.v.d[0].d[0], y.d[0].d[0].d[0]}) {
    if constexpr (std::is_same_v<B, double>)
      all.push_back(k);
    else
      all.push_back(k[l]);
  }
  return all;
}
/// Each derivative is the slope of the one before by the five-point formula, whose error is h^4/30 of the fifth
/// derivative (3e-14 of it; the seventh of f at most, which is 1e4 times the third) and rounding (1e-13).
template <class F>
void check_derivatives(F f, double x) {
  CAPTURE(x);
  const double h = 0.001;
  const auto at = [&](double t) { return derivatives<double>(f, t); };
  const auto here = at(x), a = at(x - 2 * h), b = at(x - h), c = at(x + h), d = at(x + 2 * h);
  CHECK(here[0] == f(x));
  double size = 1;
  for (const double k : here) size = std::max(size, std::abs(k));
  for (int k = 0; k < 3; ++k)
    CHECK(std::abs((8 * (c[k] - b[k]) - (d[k] - a[k])) / (12 * h) - here[k + 1]) < 1e-8 * size);
  CHECK(derivatives<Real>(f, x, lanes_of<Real> - 1) == here);
  CHECK(derivatives<Pack<double, 1>>(f, x) == here);
  const auto single = derivatives<Pack<float, 8>>(f, x, 7);
  for (int k = 0; k < 4; ++k) CHECK(std::abs(single[k] - here[k]) < 4e-6 * size);
}

}  // namespace

TEST_CASE("derivatives to third order: slopes of each other, in lanes as alone") {
  each_function([](std::string name, auto f, auto, double, double, bool) {
    CAPTURE(name);
    for (const double x : {-0.73, -0.3, 0.0625, 0.45, 0.8, 1.25}) check_derivatives(f, x);
  });
  for (const double p : {1.5, 0.5, -1.0, 3.0}) check_derivatives([p](const auto& x) { return sde::pow(x, p); }, 0.75);
  for (const double p : {0.3, -2.2}) check_derivatives([p](const auto& x) { return sde::pow(x, p); }, 1.25);
}

TEST_CASE("derivatives keep their relative accuracy where functions are flat, to 4 units of the last place and x^2/2") {
  const auto near = [](double got, Exact exact) { CHECK(std::abs(got / exact - 1) < 2e-15L); };
  for (const double x : {-30.0, -12.5, 5.0, 20.0, 30.0}) {
    const Exact e = std::exp(-std::abs(Exact(x))), p = 1 + e, slope = e / (p * p), cosh = std::cosh(Exact(x));
    near(derivatives<double>([](const auto& t) { return sde::softplus(t); }, x)[2], slope);
    near(derivatives<double>([](const auto& t) { return sde::sigmoid(t); }, x)[1], slope);
    near(derivatives<double>([](const auto& t) { return sde::logcosh(t); }, x)[2], 1 / (cosh * cosh));
    near(derivatives<double>([](const auto& t) { return sde::logcosh(t); }, x)[3],
         -2 * std::tanh(Exact(x)) / (cosh * cosh));
    near(derivatives<double>([](const auto& t) { return sde::expm1(t); }, x)[3], std::exp(Exact(x)));
  }
  for (const double x : {3.0, 5.1, -12.3, 26.1}) {
    const Exact t = x;
    const auto d = derivatives<double>([](const auto& s) { return sde::erf(s); }, x);
    const Exact first = 2 * std::numbers::inv_sqrtpi_v<Exact> * std::exp(-t * t);
    near(d[1], first);
    near(d[2], -2 * t * first);
    near(d[3], (4 * t * t - 2) * first);
  }
}

TEST_CASE("relu has no derivative at 0, and powers of 0 have those that exist") {
  const auto at_zero = derivatives<double>([](const auto& t) { return sde::relu(t); }, 0);
  CHECK(at_zero == std::vector<double>{0, 0, 0, 0});
  CHECK(derivatives<double>([](const auto& t) { return sde::pow(t, 2.0); }, 0) == std::vector<double>{0, 0, 2, 0});
  CHECK(derivatives<double>([](const auto& t) { return sde::pow(t, 0.0); }, 0) == std::vector<double>{1, 0, 0, 0});
}
