// Phi(x): the limit of the gradient flow x' = -grad L(x), by Boost.Odeint with error control, then polished.
#pragma once

#include <memory>
#include <stdexcept>

#include "sde/slow/point_terms.hpp"

namespace sde {
class LossModel;
template <class S>
struct NoiseOf;
using Noise = NoiseOf<double>;
}  // namespace sde

namespace sde::manifold {

using slow::Vector;

struct FlowOptions {
  double tolerance = 1e-12;       ///< Odeint's absolute and relative error for each step
  int max_evaluations = 400'000;  ///< gradients, before the flow counts as not convergent
  double polish_below = 1e-7;     ///< length of the Newton step delta, over 1 + |x|, at which the polish takes over
  double stiffness = 300;  ///< ratio of Hessian eigenvalues above which a Rosenbrock method takes over (d <= 256)
};

/// For observing noisy paths: the position along Gamma to about 1e-9, far below any Monte Carlo error.
inline constexpr FlowOptions kObservationFlow{.tolerance = 1e-9, .polish_below = 1e-5};

/// Thrown where the gradient flow does not reach a manifold of minima: what() says where it stood.
struct FlowError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Phi with working storage. One residual: the fibre is integrated over the residual itself, dx/df = grad f/|grad f|^2
/// from f(x) to 0, the same curve as the gradient flow without its exponential tail. Otherwise in time (Dormand-Prince,
/// or Rosenbrock where stiff) until the Newton step to Gamma is delta <= polish_below (1 + |x|). The polish, that
/// Newton step, leaves the gradient-flow fibre by O(delta^2) only; after it |grad L| <= 1e-12 max(1, lambda_max).
class FlowMap {
 public:
  explicit FlowMap(const LossModel& model, FlowOptions options = {});
  ~FlowMap();
  /// x[d] <- Phi(x). Throws FlowError, leaving x as far as it came.
  void operator()(double* x);
  /// False if a squared loss keeps residuals on Gamma (known after the first call): then it has no residual structure.
  bool interpolating() const { return interpolating_; }

 private:
  void along_residual(double* x);
  void along_time(double* x);
  void polish(double* x);
  slow::PointTerms& terms();

  const LossModel& model_;
  const FlowOptions options_;
  bool interpolating_;
  std::unique_ptr<Noise> none_;
  std::unique_ptr<slow::PointTerms> residual_, dense_;
};

}  // namespace sde::manifold
