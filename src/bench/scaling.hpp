// How the cost of the kernels grows with paths, steps, workers and dimension, on one thread.
#pragma once

#include <string>
#include <vector>

namespace sde::bench {

/// Seconds ~ size^exponent, by least squares on the logarithms of the sizes from fit_from on (below it what does not
/// grow counts); half_width of the exponent's 95% interval.
struct Scaling {
  std::string name, against;
  std::vector<double> sizes, seconds;
  double fit_from, exponent, half_width;
};
std::vector<Scaling> scalings();

}  // namespace sde::bench
