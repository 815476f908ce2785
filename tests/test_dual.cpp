// What a loss's template may do with its numbers T, on every T that occurs: the same values, and derivatives against
// closed forms.
#include <doctest/doctest.h>

#include "sde/core/dual_functions.hpp"
#include "sde/core/jet.hpp"

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

/// All derivatives of f at (x, y) up to the third: a Jet's against those of nested duals.
template <class B, class F>
void check_jet_on(F f, double x, double y) {
  using One = Dual<B, 2>;
  using Two = Dual<One, 2>;
  using Three = Dual<Two, 2>;
  Three t[2];
  for (int i = 0; i < 2; ++i) {
    t[i] = Three(i == 0 ? x : y);
    t[i].v.v.d[i] = B(1.0);
    t[i].v.d[i] = One(1.0);
    t[i].d[i] = Two(One(1.0));
  }
  const Three expected = f(t[0], t[1]);
  using J = Jet<B, 2>;
  const J found = f(J::variable(B(x), 0), J::variable(B(y), 1));
  const auto same = [](B a, B b) {
    for (int l = 0; l < lanes_of<B>; ++l) CHECK(lane(a, l) == doctest::Approx(lane(b, l)).epsilon(1e-13).scale(1));
  };
  same(found.v, expected.v.v.v);
  for (int i = 0; i < 2; ++i) {
    same(found.first[i], expected.d[i].v.v);
    for (int j = 0; j < 2; ++j) {
      same(found.second[J::At::of(i, j)], expected.d[i].d[j].v);
      for (int k = 0; k < 2; ++k) same(found.third[J::At::of(i, j, k)], expected.d[i].d[j].d[k]);
    }
  }
}
template <class F>
void check_jet(F f, double x, double y) {
  CAPTURE(x);
  check_jet_on<double>(f, x, y);
  check_jet_on<Real>(f, x, y);
  check_jet_on<Pack<double, 1>>(f, x, y);
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
  CHECK(with_ints<Jet<double, 3>>().v == 10);
  CHECK(with_ints<Jet<Real, 2>>().v[1] == 10);
  CHECK(with_ints<Dual<Dual<Pack<float, 8>, 1>, 2>>().v.v[7] == 10);
  CHECK(compares(-4.0));
  CHECK(compares(Dual<double, 2>(-4)));
  CHECK(compares(Jet<double, 2>(-4)));
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

TEST_CASE("a jet has the derivatives of nested duals, for every function") {
  for (const double x : {0.7, 1.9}) {
    check_jet([](auto a, auto b) { return a * b + 2 * a - b / 3 + 1.0; }, x, -0.8);
    check_jet([](auto a, auto b) { return -a * a * b - (a - 1) * (2.0 - b) * b; }, x, -0.8);
    check_jet([](auto a, auto b) { return a / b + 1.0 / a + b / 2.0; }, x, -0.8);
    check_jet([](auto a, auto b) { return sqrt(a * a + b * b); }, x, -0.8);
    check_jet([](auto a, auto b) { return exp(a * b) * log(a + 1.0); }, x, -0.8);
    check_jet([](auto a, auto b) { return sin(a * b) + cos(a - b * b); }, x, -0.8);
    check_jet([](auto a, auto b) { return tanh(a * b + b); }, x, -0.8);
    check_jet([](auto a, auto b) { return abs(a * b) + abs(a * a); }, x, -0.8);
    check_jet([](auto a, auto b) { return pow(b, 5) + pow(a * b, 2) + pow(b, 1) + pow(a, 0) + pow(a * b, -3); }, x,
              -0.8);
    check_jet([](auto a, auto b) { return pow(a * a, 2.5) + pow(a, -0.5) * b; }, x, -0.8);
    check_jet([](auto a, auto b) { return pow(a, b * b + a); }, x, -0.8);
    check_jet([](auto a, auto b) { return max(a * b, a * a * b) + min(exp(a), b) + select(a > 1, a * a * a, sin(b)); },
              x, -0.8);
    check_jet(
        [](auto a, auto b) {
          auto s = a;
          s += b, s *= a, s -= b * b, s /= b;
          return s;
        },
        x, -0.8);
  }
  check_jet([](auto a, auto b) { return pow(a, 3) + pow(b, 2) + pow(a, 1) + pow(b, 0); }, 0, 0);
}

TEST_CASE("the places of a jet's derivatives") {
  const auto check = []<int D>(std::integral_constant<int, D>) {
    using At = detail::JetIndices<D>;
    int pairs = 0, triples = 0;
    for (int i = 0; i < D; ++i)
      for (int j = i; j < D; ++j) {
        CHECK(At::of(i, j) == pairs);
        CHECK(At::of(j, i) == pairs);
        CHECK(At::pair(pairs).i == i);
        CHECK(At::pair(pairs++).j == j);
        for (int k = j; k < D; ++k) {
          CHECK(At::of(k, i, j) == triples);
          CHECK(At::of(j, k, i) == triples);
          CHECK(At::triple(triples).i == i);
          CHECK(At::triple(triples).j == j);
          CHECK(At::triple(triples++).k == k);
        }
      }
    CHECK(At::pairs == pairs);
    CHECK(At::triples == triples);
  };
  check(std::integral_constant<int, 1>{});
  check(std::integral_constant<int, 2>{});
  check(std::integral_constant<int, 4>{});
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
