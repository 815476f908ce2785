// Samples of a classification problem as kernels read them.
#pragma once

#include <cstddef>
#include <vector>

namespace sde::network {

/// n inputs with their classes. Inputs stand sample by sample, the last block of kBlock filled up with zeros: what goes
/// through all samples takes a block at once.
struct Samples {
  static constexpr int kBlock = 8;

  int n = 0, features = 0, classes = 0;
  std::vector<double> x;
  std::vector<float> x_single;  ///< the same rounded
  std::vector<int> y;           ///< from 0 to classes - 1

  int blocks() const { return (n + kBlock - 1) / kBlock; }
  /// Place of feature 0 of a sample, which the others follow.
  std::size_t place(int sample) const { return static_cast<std::size_t>(sample) * static_cast<std::size_t>(features); }
  /// x in numbers S.
  template <class S>
  const S* inputs() const {
    if constexpr (sizeof(S) == sizeof(double))
      return x.data();
    else
      return x_single.data();
  }
};

/// Of rows[n][features] and their classes.
Samples make_samples(const std::vector<double>& rows, int features, const std::vector<int>& y, int classes);

}  // namespace sde::network
