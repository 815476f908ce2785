// What losses with data share. The data are drawn from a seed, so an experiment file describes them completely. What a
// kernel needs of such a loss is a template over where the data stand: in vectors, or (on_device) behind pointers to a
// GPU's memory.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "sde/core/keys.hpp"
#include "sde/core/target.hpp"

namespace sde::loss {

/// `count` standard normals from (seed, what); each array of each loss is a `what` of its own.
std::vector<double> normal_data(std::uint64_t seed, std::uint32_t what, int count);

/// A small random start, the usual initialization of networks: d normals of standard deviation `scale`.
std::vector<double> random_start(int d, double scale, std::uint64_t seed);

/// The key of the seed from which a loss draws its data.
std::uint64_t data_seed(Keys& keys);

/// A sample's input where a GPU's threads, which draw different samples, find theirs beside each other: in a column of
/// the transposed inputs.
struct Column {
  const double* first;
  int stride;
  SDE_DEVICE double operator[](int j) const { return first[j * stride]; }
};
/// The n x size inputs X as `size` x n.
inline std::vector<double> transposed(const std::vector<double>& X, int n, int size) {
  std::vector<double> columns(X.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < static_cast<std::size_t>(size); ++j)
      columns[j * static_cast<std::size_t>(n) + i] = X[i * static_cast<std::size_t>(size) + j];
  return columns;
}

/// Input i of n, each of `size` numbers: a row of X, on a device a column of X transposed.
template <class Data>
SDE_DEVICE auto input_of(const Data& X, const Data& columns, int i, int n, int size) {
  if constexpr (std::is_pointer_v<Data>)
    return Column{columns + i, n};
  else
    return &X[i * size];
}

}  // namespace sde::loss
