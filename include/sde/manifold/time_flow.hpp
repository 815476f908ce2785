// The gradient flow x' = -grad L in time, to where Newton's method may take over, and that: one template for the CPU
// and for a team of threads on a device.
//
// The linearly implicit Euler method y <- y - h (1 + h A)^-1 grad L(y), A = Hess L frozen at the start of a step or
// what of it is stiff, extrapolated to h = 0 (Deuflhard, SIAM Review 27, 1985; Hairer and Wanner, Solving ODEs II,
// IV.9, their SEULEX): a step costs one eigenproblem and some ten to a hundred gradients, and its length is bounded by
// the curvature of the path alone, so it grows with the flow's age from 1/lambda_max to many 1/lambda_min. Exponential
// Euler steps extrapolated in the same way are exact for linear f, but do not reach tight tolerances: e^(-h lambda) has
// no expansion in h where h lambda is large (docs/performance.md has the counts).
#pragma once

#include <cstdint>
#include <limits>

#include "sde/core/buffer.hpp"
#include "sde/core/math.hpp"

namespace sde::manifold {

/// How closely the flow is followed, and where Newton takes over.
struct FlowOptions {
  double tolerance = 1e-12;       ///< absolute and relative error for each step
  int max_evaluations = 400'000;  ///< gradients, before the flow counts as not convergent
  double polish_below = 1e-7;     ///< length of the Newton step delta, over 1 + |x|, at which the polish takes over
};

/// For observing noisy paths: the position along Gamma to about 1e-9, far below any Monte Carlo error.
inline constexpr FlowOptions kObservationFlow{.tolerance = 1e-9, .polish_below = 1e-5};

/// How the flow ended.
enum class FlowEnd : std::uint8_t {
  near_gamma,  ///< the Newton step is as short as asked for
  flat,        ///< no direction of positive curvature
  not_finite,  ///< outside the domain of the loss
  no_step,     ///< not even the shortest step can be taken
  too_long,    ///< too many gradients
  stalled      ///< it had time to converge, and the Newton step is as long as before
};

/// Residuals that count as zero on Gamma, relative to (1 + |x|) max(1, sqrt(n lambda_max)).
inline constexpr double kResidualOnGamma = 1e-9;

/// System: the loss near one point.
///   linearize(x)  evaluates at x[d]:
///     largest, smallest   of the positive eigenvalues of A; 0 where there are none
///     distance, slope     |Newton step to Gamma|, |grad L|
///   prepare(h)    the step of the Euler steps that follow
///   euler(y, u)   u[d] <- u - h (1 + h A)^-1 grad L(y)
///   newton(x)     x <- x + the Newton step at the linearized point, which is x
///   kMayStall     whether its Newton step may keep its length for ever
template <class System, class Team = Solo>
class TimeFlow {
  static constexpr int kRows = 12;
  /// Euler steps of a row: 1, 2, 3, 4, 6, 8, 12, ... (Bulirsch), whose weights amplify rounding by some hundred.
  SDE_DEVICE static constexpr int steps_of(int row) {
    return row == 0 ? 1 : row % 2 == 1 ? 1 << (row + 1) / 2 : 3 << (row / 2 - 1);
  }

 public:
  SDE_DEVICE TimeFlow(int dim, const Team& team = {})
      : d_(dim), team_(team), y_(dim, team), moved_(dim, team), table_(kRows * dim, team) {}

  /// x[d] <- the flow's point where delta <= polish_below (1 + |x|); `system` is left linearized there.
  SDE_DEVICE FlowEnd flow(System& system, const FlowOptions& options, double* x) {
    double h = 0, taken = 0, previous = std::numeric_limits<double>::infinity();
    evaluations_ = 0;
    for (;;) {
      system.linearize(x);
      if (!(system.distance < 1e300) || !(system.largest < 1e300)) return FlowEnd::not_finite;
      if (!(system.largest > 0)) return FlowEnd::flat;
      if (system.distance <= options.polish_below * (1 + norm(x))) return FlowEnd::near_gamma;
      if constexpr (System::kMayStall)
        if (taken * system.smallest > 30 && system.distance > 0.5 * previous) return FlowEnd::stalled;
      previous = system.distance;
      if (taken == 0) h = 0.1 / system.largest;
      if (const auto end = step(system, options, x, h, taken); end != FlowEnd::near_gamma) return end;
    }
  }

  /// Newton's method from x[d], where `system` is linearized, until |grad L| is that of rounding. False where it is not
  /// after eight steps.
  SDE_DEVICE bool polish(System& system, double* x) {
    for (int iteration = 0;; ++iteration) {
      const bool small = system.slope <= allowed_slope(system);
      const bool tiny = system.distance <= 1e-15 * (1 + norm(x));
      if (iteration == 8) return small;
      system.newton(x);
      if (small && (tiny || iteration > 2)) return true;
      system.linearize(x);
    }
  }
  SDE_DEVICE static double allowed_slope(const System& system) {
    return 1e-12 * (system.largest > 1 ? system.largest : 1.0);
  }
  SDE_DEVICE double norm(const double* x) const {
    double square = 0;
    for (int k = 0; k < d_; ++k) square += x[k] * x[k];
    return sqrt(square);
  }

 private:
  /// One step from x, shorter than h where that is too long; h becomes the length to try next.
  SDE_DEVICE FlowEnd step(System& system, const FlowOptions& options, double* x, double& h, double& taken) {
    for (const double shortest = 1e-14 / system.largest;;) {
      if (!(h > shortest)) return FlowEnd::no_step;
      double error = 0, before = 0;  // of this row and the row before, over what is allowed
      int row = 0;
      for (; row < kRows; ++row) {
        if (evaluations_ > options.max_evaluations) return FlowEnd::too_long;
        extrapolate(system, x, h, row);
        if (row == 0) continue;
        before = error;
        error = error_of(row, options.tolerance, x);
        if (row > 1 && (error <= 1 || (row > 2 && error > before))) break;
      }
      if (row == kRows) --row;
      if (error <= 1) {
        // Long enough to converge in the last row, if the rows go on to converge as they did.
        const double rate = before > error ? logarithm(error / before) : 0;
        const double factor = growth(logarithm(error) + (kRows - 1 - row) * rate, kRows);
        team_.each(d_, [&](int k) { x[k] += table_[row * d_ + k]; });
        taken = h;
        h *= factor < 0.2 ? 0.2 : factor > 10 ? 10.0 : factor;
        return FlowEnd::near_gamma;
      }
      const double factor = growth(logarithm(error), row + 1);
      h *= factor < 0.05 ? 0.05 : factor > 0.7 ? 0.7 : factor;
    }
  }

  /// By how much a step of error e^log_error may grow, with a margin, for an error of order `order`. Own exp and log:
  /// libm's bits depend on the processor.
  SDE_DEVICE static double growth(double log_error, int order) {
    return 0.9 * sde::detail::exp_kernel((logarithm(0.5) - log_error) / order);
  }
  SDE_DEVICE static double logarithm(double x) { return sde::detail::log_kernel(x); }

  /// Row number `row` of the table of Aitken and Neville for one step of length h: the Euler steps, then in place of
  /// the entry (row - 1, j) the entry (row, j), j = 0, ..., row. What is extrapolated is the distance from x: the
  /// weights then amplify the rounding of a small number.
  SDE_DEVICE void extrapolate(System& system, const double* x, double h, int row) {
    const int steps = steps_of(row);
    team_.strided(d_, [&](int k) { moved_[k] = 0; });
    system.prepare(h / steps);
    for (int i = 0; i < steps; ++i) {
      team_.each(d_, [&](int k) { y_[k] = x[k] + moved_[k]; });
      system.euler(y_.data(), moved_.data());
    }
    evaluations_ += steps;
    team_.each(d_, [&](int k) {
      double entry = moved_[k];
      for (int j = 0; j < row; ++j) {
        const double ratio = static_cast<double>(steps) / steps_of(row - 1 - j);
        const double next = entry + (entry - table_[j * d_ + k]) / (ratio - 1);
        table_[j * d_ + k] = entry;
        entry = next;
      }
      table_[row * d_ + k] = entry;
    });
  }

  /// The difference of the row's last two entries over tolerance (1 + |x|), the largest of all components.
  SDE_DEVICE double error_of(int row, double tolerance, const double* x) const {
    double worst = 1e-30;
    for (int k = 0; k < d_; ++k) {
      const double gap = abs(table_[row * d_ + k] - table_[(row - 1) * d_ + k]);
      const double error = gap / (tolerance * (1 + abs(x[k])));
      if (!(error < 1e30)) return 1e30;
      if (error > worst) worst = error;
    }
    return worst;
  }

  const int d_;
  const Team team_;
  int evaluations_ = 0;
  Buffer<double, kDynamic, Team> y_, moved_, table_;
};

}  // namespace sde::manifold
