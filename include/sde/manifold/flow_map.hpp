// Phi(x): the limit of the gradient flow x' = -grad L(x), integrated with error control, then polished.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <stdexcept>
#include <string>

#include "sde/manifold/time_flow.hpp"

namespace sde {
class LossModel;
}

namespace sde::manifold {

/// What is known of Gamma: whether a squared loss vanishes there.
enum class Minimum : std::uint8_t { unknown, interpolating, least_squares };

/// Thrown where the gradient flow does not reach a manifold of minima: what() says where it stood.
struct FlowError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Phi with working storage. One residual: the fibre is integrated over the residual itself, dx/df = grad f/|grad f|^2
/// from f(x) to 0, the same curve as the gradient flow without its exponential tail, by Odeint's Dormand-Prince.
/// Otherwise in time (time_flow.hpp): in the space of the residuals, or where they do not vanish on Gamma through the
/// dense Hessian, until the Newton step to Gamma is delta <= polish_below (1 + |x|). The polish, that Newton step,
/// leaves the gradient-flow fibre by O(delta^2) only; after it |grad L| <= 1e-12 max(1, lambda_max).
class FlowMap {
 public:
  explicit FlowMap(const LossModel& model, FlowOptions options = {}, Minimum minimum = Minimum::unknown);
  ~FlowMap();
  /// x[d] <- Phi(x). Throws FlowError, leaving x as far as it came; where Gamma is known to interpolate, also if it
  /// ends at a minimum that keeps residuals.
  void operator()(double* x);
  /// From now on Phi in the metric diag(root^2) (theory.md section 10): the limit of x' = -diag(root^2) grad L(x).
  void set_metric(const Eigen::VectorXd& root) { root_ = root; }
  /// False if a squared loss keeps residuals on Gamma (known after the first call): then it has no residual structure.
  bool interpolating() const { return minimum_ != Minimum::least_squares; }

 private:
  struct Residuals;
  struct Dense;
  // All of them in the coordinates phi = x/root of the metric.
  void flow(double* x);
  void along_residual(double* x);
  bool through_residuals(double* x);
  void through_hessian(double* x);
  std::string where(const double* x) const;
  template <class Path>
  void must_arrive(FlowEnd end, const Path& path, const double* x) const;
  template <class Path>
  [[noreturn]] void fail_to_polish(const Path& path, const double* x) const;

  const LossModel& model_;
  const FlowOptions options_;
  Minimum minimum_;
  Eigen::VectorXd root_;  ///< of the metric; empty: the plain one
  std::unique_ptr<Residuals> residuals_;
  std::unique_ptr<Dense> dense_;
};

}  // namespace sde::manifold
