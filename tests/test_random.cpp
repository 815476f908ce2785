// Known-answer vectors of Philox4x32-10 (Random123's kat_vectors), lanes against Random123, moments of the increments.
#include <doctest/doctest.h>

#include <cmath>

#include "sde/random/streams.hpp"

using namespace sde;
using random::Words;

TEST_CASE("Philox4x32-10 known answers: zeros, ones, digits of pi") {
  struct Known {
    Words counter;
    std::uint64_t key;
    Words answer;
  };
  const Known table[] = {
      {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       0xffffffffffffffffull,
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       0x299f31d0a4093822ull,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& k : table) {
    CHECK(random::philox(k.counter, k.key) == k.answer);
    const auto& n = k.counter;
    BitsOf<Real>::U c[4], paths(n[3]);
    paths.set(lanes_of<Real> - 1, n[3] ^ 1u);
    random::philox_lanes(n[0], n[1], n[2], paths, random::KeySchedule(k.key), c);
    const auto other = random::philox({n[0], n[1], n[2], n[3] ^ 1u}, k.key);
    for (int i = 0; i < 4; ++i)
      for (int l = 0; l < lanes_of<Real>; ++l) CHECK(c[i][l] == (l == lanes_of<Real> - 1 ? other[i] : k.answer[i]));
    std::uint64_t s[4];
    random::philox_lanes(n[0], n[1], n[2], std::uint64_t(n[3]), random::KeySchedule(k.key), s);
    for (int i = 0; i < 4; ++i) CHECK(s[i] == k.answer[i]);
  }
}

TEST_CASE_TEMPLATE("a draw depends on (seed, path, worker, purpose, index) alone: lanes, restarts in mid-block", T,
                   Real, Pack<double, kLanes>) {
  random::NormalStream<T> lanes({7, 16, 3}, random::Purpose::noise, 5);
  random::SignStream<T> signs({7, 16, 3}, random::Purpose::noise, 200);
  for (int i = 5; i < 30; ++i) {
    const T v = lanes.next(), s = signs.next();
    for (int l = 0; l < lanes_of<T>; ++l) {
      random::NormalStream<double> one({7, 16u + l, 3}, random::Purpose::noise, i);
      CHECK(one.next() == v[l]);
      random::SignStream<double> sign({7, 16u + l, 3}, random::Purpose::noise, 195 + i);
      CHECK(sign.next() == s[l]);
    }
  }
}

TEST_CASE("a float normal is the double one to its rounding, a float sign the same") {
  using Single = Pack<float, kKernelLanes<float>>;
  using Double = Pack<double, lanes_of<Single>>;
  random::NormalStream<Double> normals({7, 16, 3}, random::Purpose::noise, 0);
  random::NormalStream<Single> floats({7, 16, 3}, random::Purpose::noise, 0);
  random::SignStream<Double> signs({7, 16, 3}, random::Purpose::noise, 0);
  random::SignStream<Single> float_signs({7, 16, 3}, random::Purpose::noise, 0);
  for (int i = 0; i < 4000; ++i) {
    const Double a = normals.next(), s = signs.next();
    const Single b = floats.next(), t = float_signs.next();
    for (int l = 0; l < lanes_of<Single>; ++l) {
      // Near u = 1, radius^2 = -2 log u loses digits with u's own rounding: 2^-24 absolute, so 2^-12 where it is 0.
      const double radius_error = std::min(0x1p-12, 0x1p-23 / std::max(std::abs(a[l]), 0x1p-12));
      CHECK(std::abs(b[l] - a[l]) < 4e-7 * (1 + std::abs(a[l])) + radius_error);
      CHECK(s[l] == t[l]);
    }
  }
}

TEST_CASE("moments of normals, signs and indices within 5 standard errors") {
  const int n = 400'000;
  random::NormalStream<double> z({11, 0, 0}, random::Purpose::noise, 0);
  random::SignStream<double> s({11, 0, 0}, random::Purpose::noise, 0);
  random::IndexStream<double> index({11, 0, 0}, random::Purpose::noise, 0);
  double m1 = 0, m2 = 0, m4 = 0, lag = 0, last = 0, signs = 0, counts[5] = {};
  for (int i = 0; i < n; ++i) {
    const double x = z.next();
    m1 += x;
    m2 += x * x;
    m4 += x * x * x * x;
    lag += x * last;
    last = x;
    const double e = s.next();
    CHECK_UNARY(e == 1 || e == -1);
    signs += e;
    counts[index.next(5)] += 1;
  }
  const double r = std::sqrt(1.0 / n);
  CHECK(std::abs(m1 / n) < 5 * r);
  CHECK(std::abs(m2 / n - 1) < 5 * std::sqrt(2.0) * r);
  CHECK(std::abs(m4 / n - 3) < 5 * std::sqrt(96.0) * r);
  CHECK(std::abs(lag / n) < 5 * r);
  CHECK(std::abs(signs / n) < 5 * r);
  for (double c : counts) CHECK(std::abs(c / n - 0.2) < 5 * 0.4 * r);
}
