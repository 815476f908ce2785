// The steps of a pairing, written once: for lanes of the CPU (src/verify/paired.cpp) and a GPU's thread
// (gpu/paired_steps.hpp).
#pragma once

#include "sde/model/paired_tile.hpp"

namespace sde {

/// PairedSetup in plain numbers that a GPU can hold; the arrays are the caller's.
struct PairedStepping {
  std::int64_t steps;       ///< of the algorithm in a fine step
  double dt;                ///< of a fine step
  double normalization[2];  ///< PairedSetup::normalization(1), (2)
  const PairedSlowSde* predictions;
  int prediction_count;
  const SmoothFunction* functions;
  int function_count;

  /// Of one step alone, `length` in slow time, whose increments of variance 1 are sums[] times `norm`.
  PairedStepping(double length, double norm, const PairedSlowSde* predictions_there, const PairedStepping& like)
      : PairedStepping(like) {
    dt = length;
    normalization[0] = norm;
    predictions = predictions_there;
  }
  PairedStepping(const PairedSetup& s, const PairedSlowSde* on_device, const SmoothFunction* functions_on_device)
      : steps(s.steps),
        dt(s.dt),
        normalization{s.normalization(1), s.normalization(2)},
        predictions(on_device),
        prediction_count(static_cast<int>(s.predictions.size())),
        functions(functions_on_device),
        function_count(static_cast<int>(s.functions.size())) {}
};

/// One step of every prediction's fine or coarse state, `length` fine steps long, driven by sums[paths.size()] of what
/// the algorithm drew meanwhile; `unit` is scratch of that size.
template <class Paths, class T>
SDE_DEVICE void move_predictions(Paths& paths, const PairedStepping& s, const T* sums, int length, bool fine, T* unit) {
  const T norm(s.normalization[length - 1]);
  for (int c = 0; c < paths.size(); ++c) unit[c] = sums[c] * norm;
  const bool controlled = fine && s.function_count > 0;
  for (int p = 0; p < s.prediction_count; ++p) {
    // grad g(zeta) . P_par A dW at the beginning of the step
    const auto control = [&](const double* before, const double* along, double* martingale, long stride) {
      for (int q = 0; q < s.function_count; ++q)
        martingale[(p * s.function_count + q) * stride] +=
            s.functions[q].template derivative<Paths::Dim>(before, along);
    };
    const auto& prediction = s.predictions[p];
    paths.step(p, fine, prediction.parameters, length * s.dt * prediction.time_scale, unit, controlled, control);
  }
}

/// `pairs` times two fine steps and one of twice the length, from the algorithm's step k on. `Paths` has
///   - size(): numbers in the draws of a fine step, one of type T for each column of Innovations, or for each lane,
///   too;
///   - draw(k, one): runs the algorithm through one fine step, whose summed draws become one[size()];
///   - step(p, fine, parameters, width, unit, controlled, control): moves prediction p's fine or coarse state by
///     increments unit[size()] of variance 1; where `controlled` calls control(before, along, martingale, stride) for
///     each path, with where the step began, its P_par A dW, and where the first of the path's martingales is, `stride`
///     apart;
///   - Dim: the dimension, where it is known to the compiler.
/// one, both and unit are scratch of size() numbers.
template <class Paths, class T>
SDE_INLINE void advance_pairs(Paths& paths, const PairedStepping& s, std::int64_t k, std::int64_t pairs, T* one,
                              T* both, T* unit) {
  for (; pairs > 0; --pairs) {
    for (int c = 0; c < paths.size(); ++c) both[c] = T(0.0);
    for (int half = 0; half < 2; ++half, k += s.steps) {
      paths.draw(k, one);
      for (int c = 0; c < paths.size(); ++c) both[c] += one[c];
      move_predictions(paths, s, one, 1, true, unit);
    }
    move_predictions(paths, s, both, 2, false, unit);
  }
}

}  // namespace sde
