// What a loss's template may do with its numbers T, on every T that occurs: the same values, and derivatives against
// closed forms.
#include <doctest/doctest.h>

#include "sde/core/dual_functions.hpp"

using namespace sde;

namespace {

/// Value, first and second derivative of f at x, by nested duals over the numbers B.
struct Taylor {
  double value, first, second;
};
template <class B, class F>
Taylor at(F f, double x) {
  using One = Dual<B, 1>;
  using Two = Dual<One, 1>;
  Two t = Two(x);
  t.v.d[0] = B(1.0);
  t.d[0] = One(1.0);
  const Two y = f(t);
  return {lane(y.v.v, 0), lane(y.v.d[0], 0), lane(y.d[0].d[0], 0)};
}
/// The same on doubles and on the first and the last lane of packs.
template <class F>
void check(F f, double x, double value, double first, double second) {
  CAPTURE(x);
  for (const auto& t : {at<double>(f, x), at<Real>(f, x), at<Pack<double, 1>>(f, x)}) {
    CHECK(t.value == doctest::Approx(value).epsilon(1e-14));
    CHECK(t.first == doctest::Approx(first).epsilon(1e-14));
    CHECK(t.second == doctest::Approx(second).epsilon(1e-14));
  }
  CHECK(lane(f(Real(x)), lanes_of<Real> - 1) == doctest::Approx(value).epsilon(1e-14));
  CHECK(f(x) == doctest::Approx(value).epsilon(1e-14));
}

/// A loss's arithmetic with whole numbers, which ends at 10.
template <class T>
T with_ints() {
  T s = 0, a[2] = {1, 2}, t(3);
  s = 1;
  s += 2;            // 3
  s = 2 * s + t;     // 9
  s = s * a[1] - 1;  // 17
  s -= a[0];         // 16
  s = 64 / s / 2;    // 2
  return select(s > 1, s, 0) + select(s < 1, T(5), T(0)) + max(0, s) + min(s, 7) + max(s, 0) + min(7, s);
}
/// Comparisons of a number whose value is -4.
template <class T>
bool compares(const T& s) {
  return s < 100 && s == -4 && s != 3 && s >= -4 && s <= 0 && !(s > 0);
}

}  // namespace

TEST_CASE("whole numbers on every T") {
  CHECK(with_ints<double>() == 10);
  CHECK(with_ints<Real>()[lanes_of<Real> - 1] == 10);
  CHECK(with_ints<Pack<float, 8>>()[7] == 10);
  CHECK(with_ints<Pack<double, 1>>()[0] == 10);
  CHECK(with_ints<Dual<double, 2>>().v == 10);
  CHECK(with_ints<Dual<Dual<double, 1>, 3>>().v.v == 10);
  CHECK(with_ints<Dual<Real, 2>>().v[1] == 10);
  CHECK(with_ints<Dual<Dual<Pack<float, 8>, 1>, 2>>().v.v[7] == 10);
  CHECK(compares(-4.0));
  CHECK(compares(Dual<double, 2>(-4)));
  CHECK(compares(Dual<Dual<double, 1>, 3>(-4)));
  const auto all = [](const auto& mask) { return !any(!mask); };
  CHECK(all(Real(-4) == -4));
  CHECK(all(Real(-4) != 4));
  CHECK(all(Dual<Real, 1>(-4) < 0));
  CHECK(!any(Dual<Real, 1>(-4) == 4));
  Dual<float, 1> single = 0;  // neither its float nor a double comes first
  single = 2;
  CHECK(single.v == 2);
  Pack<float, 8> f = 0;
  f = 3;
  CHECK(f[7] == 3);
  Dual<Pack<float, 8>, 2> lanes = 0;
  lanes += 2;
  CHECK(lanes.v[7] == 2);
}

TEST_CASE("powers and their derivatives") {
  check([](auto t) { return pow(t, 3); }, -1.5, -3.375, 6.75, -9);
  check([](auto t) { return pow(t, 2); }, 0, 0, 0, 2);
  check([](auto t) { return pow(t, 1); }, 0.7, 0.7, 1, 0);
  check([](auto t) { return pow(t, 0); }, 0, 1, 0, 0);
  check([](auto t) { return pow(t, -2); }, 2, 0.25, -0.25, 0.375);
  check([](auto t) { return pow(t, 2.5); }, 4, 32, 20, 7.5);
  check([](auto t) { return pow(t, -0.5); }, 4, 0.5, -0.0625, 0.0234375);
  check([](auto t) { return pow(t, t); }, 1, 1, 1, 2);  // x^x (1 + log x), x^x ((1 + log x)^2 + 1/x)
  for (const int n : {-5, -1, 0, 1, 2, 7, 20})
    for (const double x : {-1.7, 0.3, 2.0})
      CHECK(lane(pow(Real(x), n), 1) == doctest::Approx(std::pow(x, n)).epsilon(1e-14));
}

TEST_CASE("abs, min, max and select take the derivatives of the side that they take") {
  check([](auto t) { return abs(t * t * t); }, -2, 8, -12, 12);
  check([](auto t) { return abs(t * t * t); }, 2, 8, 12, 12);
  check([](auto t) { return abs(t); }, 0, 0, 1, 0);
  check([](auto t) { return max(t * t, 2 * t); }, 3, 9, 6, 2);
  check([](auto t) { return max(t * t, 2 * t); }, 1, 2, 2, 0);
  check([](auto t) { return min(t * t, 2 * t); }, 3, 6, 2, 0);
  check([](auto t) { return min(t * t, 2 * t); }, 2, 4, 4, 2);  // equal: the first one's
  check([](auto t) { return max(t, 0); }, -1, 0, 0, 0);
  check([](auto t) { return max(0.0, t); }, 2, 2, 1, 0);
  check([](auto t) { return select(t > 0, exp(t), t * t); }, -3, 9, -6, 2);
  check([](auto t) { return select(t > 0, t * t, exp(t)); }, 3, 9, 6, 2);
}

TEST_CASE("lanes take sides of their own") {
  using T = Dual<Real, 1>;
  T x;
  for (int l = 0; l < lanes_of<Real>; ++l) x.v.set(l, l - 2.5);
  x.d[0] = Real(1.0);
  const T y = abs(x), z = max(x, 0), w = select(x > 0, x * x, 1.0);
  for (int l = 0; l < lanes_of<Real>; ++l) {
    const double v = l - 2.5;
    CHECK(y.v[l] == std::abs(v));
    CHECK(y.d[0][l] == (v < 0 ? -1 : 1));
    CHECK(z.v[l] == std::max(v, 0.0));
    CHECK(z.d[0][l] == (v < 0 ? 0 : 1));
    CHECK(w.v[l] == (v > 0 ? v * v : 1));
    CHECK(w.d[0][l] == (v > 0 ? 2 * v : 0));
  }
}

TEST_CASE("what is not a number stays the first of two") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(max(Real(nan), Real(1.0))[0]));
  CHECK(max(Real(1.0), Real(nan))[0] == 1);
  CHECK(std::isnan(min(nan, 1.0)));
  CHECK(min(1.0, nan) == 1);
}
