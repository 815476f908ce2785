#include <cmath>

#include "../modules/linear_sde.hpp"
#include "../modules/work.hpp"

namespace sde::bench {

namespace {

/// Adds the ends of the first component.
template <template <class> class Draws, class T>
double linear_sde_on_lanes(int thread, double units, stats::Moments* ends) {
  constexpr int W = lanes_of<T>;
  const auto groups = static_cast<std::uint32_t>(std::ceil(units / (kLinearSteps * W)));
  T sum(0.0);
  for (std::uint32_t g = 0; g < groups; ++g) {
    Draws<T> draws({1, g * W, static_cast<std::uint32_t>(thread)}, random::Purpose::slow, 0);
    T x[kLinearComponents];
    linear_sde(draws, x);
    for (const auto& v : x) sum += v;
    if (ends)
      for (int l = 0; l < W; ++l) ends->add(x[0][l]);
  }
  const T end = sum;
  keep(end);  // every component, so that none is left out
  return static_cast<double>(groups) * W * kLinearSteps;
}

template <template <class> class Draws, class S>
Work lanes_work(bool weak) {
  using T = Pack<S, kKernelLanes<S>>;
  Work w = linear_work(precision_of<S>, weak);
  set_runs(w, linear_sde_on_lanes<Draws, T>, 131072.0 * 256);
  return w;
}

}  // namespace

std::vector<Work> linear_works() {
  return {lanes_work<random::NormalStream, double>(false), lanes_work<random::NormalStream, float>(false),
          lanes_work<random::SignStream, double>(true), lanes_work<random::SignStream, float>(true)};
}

}  // namespace sde::bench
