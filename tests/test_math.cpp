// The lane functions against libm and against the scalar ones; where working storage lies.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <vector>

#include "../gpu/team.hpp"
#include "sde/core/buffer.hpp"
#include "sde/core/symmetric_eigen.hpp"
#include "sde/slow/psi.hpp"

using namespace sde;

TEST_CASE("exp, log and tanh on lanes agree with libm to a few ulp") {
  for (double x = -40; x < 40; x += 0.037) {
    CHECK(std::abs(exp(Real(x))[3] / std::exp(x) - 1) < 6e-16);
    CHECK(std::abs(tanh(Real(x))[3] - std::tanh(x)) < 4e-16);
    if (std::abs(x) < 1 && x != 0) CHECK(std::abs(tanh(Real(x))[0] / std::tanh(x) - 1) < 1e-15);
    const double y = std::exp(x);
    CHECK(std::abs(log(Real(y))[1] - std::log(y)) < 3e-16 * (1 + std::abs(std::log(y))));
  }
}

TEST_CASE("not a number stays one, and the ends of the logarithm") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  CHECK(std::isnan(tanh(Real(nan))[0]));
  CHECK(std::isnan(exp(Real(nan))[0]));
  CHECK(std::isnan(log(Real(nan))[0]));
  CHECK(std::isnan(log(Real(-1.0))[0]));
  CHECK(log(Real(0.0))[0] == -infinity);
  CHECK(log(Real(infinity))[0] == infinity);
  CHECK(std::signbit(Real(-0.0)[0]));
}

TEST_CASE("the same on floats, to a few ulp of theirs") {
  using Single = Pack<float, 8>;
  for (double x = -40; x < 40; x += 0.037) {
    const float f = static_cast<float>(x), y = std::exp(f);
    CHECK(std::abs(exp(Single(f))[3] / std::exp(double(f)) - 1) < 3e-7);
    CHECK(std::abs(tanh(Single(f))[3] - std::tanh(double(f))) < 2e-7);
    if (f != 0) CHECK(std::abs(tanh(Single(f))[0] / std::tanh(double(f)) - 1) < 5e-7);
    CHECK(std::abs(log(Single(y))[7] - std::log(double(y))) < 2e-7 * (1 + std::abs(std::log(double(y)))));
    if (f > 0) CHECK(std::abs(slow::psi(Single(f))[1] / slow::psi(double(f)) - 1) < 6e-7);
  }
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const std::uint32_t w = i * 2654435761u;
    Single s, c;
    detail::sincos_word<Single>(BitsOf<Single>::U(w), s, c);
    const double angle = 2 * M_PI * (w + 0.5) * 0x1p-32;
    CHECK(std::abs(s[2] - std::sin(angle)) < 2e-7);
    CHECK(std::abs(c[5] - std::cos(angle)) < 2e-7);
  }
}

TEST_CASE("1/sqrt to 2 ulp over the normal numbers, not a number below zero") {
  using Single = Pack<float, 8>;
  for (int e = -1000; e <= 1000; e += 7)
    for (double m = 1; m < 4; m += 0.037) {
      const double x = std::ldexp(m, e);
      CHECK(std::abs(inverse_sqrt(Real(x))[2] * std::sqrt(x) - 1) < 6e-16);
      CHECK(inverse_sqrt(x) == inverse_sqrt(Real(x))[0]);
      if (std::abs(e) > 120) continue;
      const float f = static_cast<float>(x);
      CHECK(std::abs(inverse_sqrt(Single(f))[5] * std::sqrt(double(f)) - 1) < 3e-7);
    }
  for (const double x : {-1e-300, -1e-3, -1.0, -1e300, std::numeric_limits<double>::quiet_NaN()})
    CHECK(std::isnan(inverse_sqrt(Real(x))[0]));
}

TEST_CASE("psi of a sum from the parts of its terms, free of cancellation from 1e-12 to 1e3") {
  const long double table[] = {1e-12L, 1e-6L, 1e-3L, 0.1L, 0.34L, 0.35L, 0.7L, 1.04L, 3.0L, 40.0L, 1000.0L};
  for (const long double x : table)
    for (const long double y : table) {
      const auto a = slow::psi_parts(static_cast<double>(x)), b = slow::psi_parts(static_cast<double>(y));
      // For small sums exp(-z) - 1 + z by its series, which has no cancellation either.
      const long double z = (long double)(double)x + (long double)(double)y;
      long double exact = expm1l(-z) + z;
      if (z < 0.01L) exact = z * z * (0.5L - z * (1 / 6.0L - z * (1 / 24.0L - z * (1 / 120.0L - z / 720.0L))));
      CHECK(std::abs((a.n + b.n + a.m * b.m) / (double)exact - 1) < 4e-15);
      CHECK(std::abs(a.m / (double)-expm1l(-(long double)(double)x) - 1) < 1e-15);
    }
}

TEST_CASE("sine and cosine of a random word") {
  std::uint64_t w = 1;
  for (int i = 0; i < 2000; ++i) {
    w = (w * 2862933555777941757ull + 3037000493ull);
    const std::uint64_t word = w >> 32;
    double s, c;
    detail::sincos_word<double>(word, s, c);
    const double angle = 2 * M_PI * ((double)word + 0.5) * 0x1p-32;
    CHECK(std::abs(s - std::sin(angle)) < 1e-15);
    CHECK(std::abs(c - std::cos(angle)) < 1e-15);
  }
}

TEST_CASE("psi: limits, series near 0 and the joint at 1") {
  using slow::psi;
  CHECK(psi(0.0) == 0.0);
  CHECK(std::abs(psi(1e-9) / 0.5e-9 - 1) < 1e-8);
  for (double x : {1e-3, 0.1, 0.5, 0.999, 1.0, 1.001, 3.0, 50.0, 5000.0}) {
    const long double xl = x;
    const long double exact = (expm1l(-xl) + xl) / xl;
    CHECK(std::abs(psi(x) / (double)exact - 1) < 2e-15);
    CHECK(std::abs(psi(Real(x))[1] / psi(x) - 1) < 1e-15);
  }
}

TEST_CASE("the refined weights are the slow ones in the limit of small eta, and have no drift-II at H = 1") {
  const slow::Parameters limit{.batch = 4, .workers = 3, .alpha = 0.7};
  const slow::Parameters fine{.batch = 4, .workers = 3, .alpha = 0.7, .eta = 1e-6, .H = 700000};
  for (auto term : {slow::Term::drift_1, slow::Term::drift_2, slow::Term::drift})
    CHECK(std::abs(slow::weight(term, fine, 2.0, 0.5) / slow::weight(term, limit, 2.0, 0.5) - 1) < 1e-5);
  const slow::Parameters one{.batch = 4, .workers = 3, .alpha = 0.1, .eta = 0.1, .H = 1};
  CHECK(std::abs(slow::weight(slow::Term::drift_2, one, 2.0, 0.5)) < 1e-16);
}

TEST_CASE("Psi_hat does not depend on K, and in the QSR limit its factor is 1, refined or not") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double eta : {0.0, 0.01}) {
    const slow::Parameters one{.workers = 1, .alpha = 0.3, .eta = eta, .H = 30};
    slow::Parameters many = one;
    many.workers = 8;
    CHECK(slow::weight(slow::Term::psi_hat, one, 2.0, 0.5) == slow::weight(slow::Term::psi_hat, many, 2.0, 0.5));
    many.alpha = infinity;
    CHECK(slow::weight(slow::Term::psi_hat, many, 2.0, 0.5) == slow::weight(slow::Term::sigma_hat, many, 2.0, 0.5));
  }
}

namespace {

/// n x n of rank `rank` with eigenvalues over `decades` decades, or all alike.
std::vector<double> semidefinite(int n, int rank, double decades, int seed) {
  std::vector<double> A(static_cast<std::size_t>(n * n), 0.0), v(static_cast<std::size_t>(n));
  for (int a = 0; a < rank; ++a) {
    for (int i = 0; i < n; ++i) v[static_cast<std::size_t>(i)] = std::sin(i * 3.7 + a * 1.3 + i * a + seed);
    const double size = std::pow(10, -decades * a / rank) / n;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j)
        A[static_cast<std::size_t>(i * n + j)] +=
            size * v[static_cast<std::size_t>(i)] * v[static_cast<std::size_t>(j)];
  }
  return A;
}

/// Eigenpairs of matrices in the lanes of T: A Q = Q Lambda and Q orthogonal to `tolerance`, and the bits of each alone
/// and by a team, to which columns come one at a time, and rotations after the step that gave them.
template <class T>
void check_eigenpairs(int n, const std::vector<std::vector<double>>& matrices, double tolerance) {
  using S = scalar_of<T>;
  const auto entries = static_cast<std::size_t>(n * n);
  std::vector<T> A(entries), Q(entries), lambda(static_cast<std::size_t>(n)),
      work(static_cast<std::size_t>(kEigenWork * n));
  for (std::size_t k = 0; k < entries; ++k)
    for (int l = 0; l < lanes_of<T>; ++l)
      A[k].set(l, static_cast<S>(matrices[static_cast<std::size_t>(l) % matrices.size()][k]));
  symmetric_eigen(n, A.data(), Q.data(), lambda.data(), work.data());
  for (int l = 0; l < lanes_of<T>; ++l) {
    const auto& M = matrices[static_cast<std::size_t>(l) % matrices.size()];
    std::vector<S> a(M.begin(), M.end()), q(entries), own(static_cast<std::size_t>(n)), storage(work.size());
    symmetric_eigen(n, a.data(), q.data(), own.data(), storage.data());
    std::size_t unused = 0;
    std::vector<S> b(M.begin(), M.end()), by_team(entries), values(own.size());
    symmetric_eigen(n, b.data(), by_team.data(), values.data(), storage.data(), gpu::Team::counting(1, &unused));
    CHECK(values == own);
    CHECK(by_team == q);
    const double size = *std::max_element(own.begin(), own.end());
    for (int i = 0; i < n; ++i) {
      CHECK(lambda[i][l] == own[i]);
      for (int j = 0; j < n; ++j) {
        CHECK(Q[i * n + j][l] == q[i * n + j]);
        double image = 0, product = 0;
        for (int k = 0; k < n; ++k) {
          image += M[i * n + k] * q[j * n + k];
          product += double(q[i * n + k]) * q[j * n + k];
        }
        CHECK(std::abs(image - double(own[j]) * q[j * n + i]) <= tolerance * size);
        CHECK(std::abs(product - (i == j)) <= tolerance);
      }
    }
  }
}

}  // namespace

TEST_CASE("eigenpairs: A Q = Q Lambda, Q orthogonal, in lanes as alone; ranks, decades, diagonals, zero") {
  for (const int n : {1, 2, 3, 9, 20, 41}) {
    CAPTURE(n);
    std::vector<std::vector<double>> matrices{semidefinite(n, n, 2, 1),           semidefinite(n, n, 12, 2),
                                              semidefinite(n, (n + 1) / 2, 1, 3), semidefinite(n, 1, 0, 4),
                                              std::vector<double>(n * n, 0.0),    semidefinite(n, n, 0, 5)};
    for (const double last : {1.0, 3.0}) {  // the identity, and nearly
      matrices.emplace_back(n * n, 0.0);
      for (int i = 0; i < n; ++i) matrices.back()[i * n + i] = i == n - 1 ? last : 1.0;
    }
    // Some n rounding units of the largest eigenvalue.
    check_eigenpairs<Real>(n, matrices, 2e-15 * std::sqrt(n));
    check_eigenpairs<Pack<float, kLanes>>(n, matrices, 1e-6 * std::sqrt(n));
  }
}

TEST_CASE("arrays of a kernel begin at different places of a page, wherever the allocator puts them") {
  constexpr int d = 256;  // a power of two: whole pages each
  std::set<std::uintptr_t> places;
  std::vector<Buffer<Real, kDynamic>> arrays;
  for (int a = 0; a < 8; ++a) {
    arrays.emplace_back(d);  // moves the earlier ones
    const auto address = reinterpret_cast<std::uintptr_t>(arrays.back().data());
    CHECK(address % alignof(Real) == 0);
    places.insert(address % 4096);
    for (int k = 0; k < d; ++k) arrays.back()[k] = Real(a * d + k);
  }
  CHECK(places.size() == 8);
  for (int a = 0; a < 8; ++a)
    for (int k = 0; k < d; ++k) CHECK(arrays[static_cast<std::size_t>(a)][k][0] == a * d + k);
}
