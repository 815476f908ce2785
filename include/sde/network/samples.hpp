// Samples of a classification problem as kernels read them.
#pragma once

#include <cstddef>
#include <vector>

namespace sde::network {

/// n inputs with their classes. Inputs stand in blocks of kBlock samples, feature by feature, the last block filled up
/// with zeros: what goes through all samples loads the same feature of kBlock at once.
struct Samples {
  static constexpr int kBlock = 8;

  int n = 0, features = 0, classes = 0;
  std::vector<double> x;
  std::vector<float> x_single;  ///< the same rounded
  std::vector<int> y;           ///< from 0 to classes - 1

  int blocks() const { return (n + kBlock - 1) / kBlock; }
  /// Place of feature 0 of a sample; feature j is kBlock * j further.
  std::size_t place(int sample) const {
    return static_cast<std::size_t>(sample / kBlock) * static_cast<std::size_t>(features * kBlock) +
           static_cast<std::size_t>(sample % kBlock);
  }
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
