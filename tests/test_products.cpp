// Products of a network's passes: every entry is the sum of its terms in their order, each added with one rounding,
// whatever the tiles are; rows in memory become lanes.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "sde/core/transpose.hpp"
#include "sde/loss/data.hpp"
#include "sde/network/products.hpp"

using namespace sde;

namespace {

template <class T>
std::vector<T> random_lanes(int size, std::uint32_t which) {
  const auto numbers = loss::normal_data(7, which, size * lanes_of<T>);
  std::vector<T> a(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i)
    for (int l = 0; l < lanes_of<T>; ++l)
      set_lane(a[static_cast<std::size_t>(i)], l,
               static_cast<scalar_of<T>>(numbers[static_cast<std::size_t>(i * lanes_of<T> + l)]));
  return a;
}

/// (rows x count) (count x columns) with b transposed in memory, and c with rows further apart than they are long.
template <class T, class B>
void check_products(int rows, int columns, int count, bool anew) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(count);
  CAPTURE(anew);
  using S = scalar_of<T>;
  const auto a = random_lanes<T>(rows * count, 1);
  const auto b = random_lanes<B>(columns * count, 2);
  const int row = columns + 1;
  const auto before = random_lanes<T>(rows * row, 3);
  auto c = before;
  network::add_products<T, T, B>(rows, columns, count, {a.data(), count, 1}, {b.data(), 1, count}, {c.data(), row, 1},
                                 anew);
  int wrong = 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < row; ++j)
      for (int l = 0; l < lanes_of<T>; ++l) {
        const auto at = static_cast<std::size_t>(i * row + j);
        S sum = anew && j < columns ? S(0) : lane(before[at], l);
        for (int m = 0; j < columns && m < count; ++m)
          sum =
              std::fma(lane(a[static_cast<std::size_t>(i * count + m)], l),
                       static_cast<S>(lane(b[static_cast<std::size_t>(j * count + m)], lanes_of<B> > 1 ? l : 0)), sum);
        wrong += lane(c[at], l) != sum;
      }
  CHECK(wrong == 0);
}

template <class S, int W>
void check_rows(int count) {
  std::vector<S> numbers(static_cast<std::size_t>(W * (count + 3)));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<S>(i);
  const S* from[W];
  for (int l = 0; l < W; ++l) from[l] = numbers.data() + (W - 1 - l) * (count + 3);
  std::vector<Pack<S, W>> to(static_cast<std::size_t>(count + 1), Pack<S, W>(S(-1)));
  load_rows(from, count, to.data());
  int wrong = 0;
  for (int j = 0; j <= count; ++j)
    for (int l = 0; l < W; ++l) wrong += to[static_cast<std::size_t>(j)][l] != (j < count ? from[l][j] : S(-1));
  CAPTURE(count);
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("products and sums have one rounding") {
  const double third = 1.0 / 3;
  const double exact = std::fma(third, 3.0, -1.0);
  CHECK(exact != 0);  // a product that is rounded by itself is 1
  CHECK(multiply_add(third, 3.0, -1.0) == exact);
  using P = Pack<double, kKernelLanes<double>>;
  using F = Pack<float, kKernelLanes<float> / 2>;
  for (int l = 0; l < lanes_of<P>; ++l) CHECK(multiply_add(P(third), P(3.0), P(-1.0))[l] == exact);
  const float narrow = 1.0f / 3;
  for (int l = 0; l < lanes_of<F>; ++l)
    CHECK(multiply_add(F(narrow), F(3.0f), F(-1.0f))[l] == std::fma(narrow, 3.0f, -1.0f));
}

TEST_CASE("sums of products, term by term, for any size of tiles") {
  for (const int rows : {1, 2, 7, 8, 11, 16})
    for (const int columns : {1, 2, 3, 4, 7, 9})
      for (const int count : {1, 5, 64, 65, 131})
        for (const bool anew : {false, true}) {
          check_products<Pack<double, kKernelLanes<double> / 2>, Pack<double, kKernelLanes<double> / 2>>(rows, columns,
                                                                                                         count, anew);
          check_products<Pack<double, 8>, double>(rows, columns, count, anew);
          if (rows > 2)
            check_products<Pack<float, kKernelLanes<float> / 2>, Pack<float, kKernelLanes<float> / 2>>(rows, columns,
                                                                                                       count, anew);
        }
}

TEST_CASE("a row of numbers for each lane, as packs") {
  for (const int count : {0, 1, 7, 8, 16, 17, 64, 67}) {
    check_rows<double, 8>(count);
    check_rows<float, 16>(count);
    check_rows<double, 2>(count);
    check_rows<float, 4>(count);
    check_rows<double, 1>(count);
  }
}
