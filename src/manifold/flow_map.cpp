#include "sde/manifold/flow_map.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <vector>

#include "sde/manifold/residual_system.hpp"
#include "sde/manifold/spectrum.hpp"
#include "sde/model/model.hpp"

namespace sde::manifold {

using slow::Matrix;
using slow::Vector;

namespace {

std::string where(const double* x, int d) {
  std::string s = "(";
  for (int k = 0; k < std::min(d, 6); ++k) s += fmt::format("{}{:.6g}", k ? ", " : "", x[k]);
  return s + (d > 6 ? ", ...)" : ")");
}

/// A model as the templates over losses ask for one, on doubles.
struct ModelLoss {
  const LossModel& model;
  const int d = model.dim(), n = model.residual_count();
  int dim() const { return d; }
  int residual_count() const { return n; }
  void residuals(const double* x, double* f) const { model.residuals(x, f); }
  void jacobian(const double* x, double* J) const { model.jacobian(x, J); }
  void pullback(const double* x, const double* w, double* g) const { model.pullback(x, w, g); }
};

/// Any loss, through its dense Hessian: A is its positive part at the start of a step. Off Gamma, at a distance delta,
/// tangent eigenvalues are of the order of delta and not zero: a Newton step that divides by them would move by delta
/// along Gamma. So the polish (through_hessian) knows the `rank` on Gamma.
class DenseSystem {
 public:
  static constexpr bool kMayStall = false;
  explicit DenseSystem(const LossModel& model)
      : model_(model), d_(model.dim()), hessian_(d_, d_), gradient_(d_), step_(d_) {}

  void linearize(const double* x) {
    model_.gradient(x, gradient_.data());
    model_.hessian(x, hessian_.data());
    largest = distance = slope = std::numeric_limits<double>::infinity();  // stays where the loss is not finite
    if (!gradient_.allFinite() || !hessian_.allFinite()) return;
    solver_.compute(0.5 * (hessian_ + hessian_.transpose()));
    const Vector& lambda = solver_.eigenvalues();
    const double threshold = slow::kNullThreshold * lambda.cwiseAbs().maxCoeff();
    normal_ = rank != kDynamic ? rank : static_cast<int>((lambda.array() > threshold).count());
    largest = normal_ > 0 ? lambda[d_ - 1] : 0;
    smallest = normal_ > 0 ? lambda[d_ - normal_] : 0;
    Vector inverse = Vector::Zero(d_);
    inverse.tail(normal_) = lambda.tail(normal_).cwiseInverse();
    step_ = -apply(inverse, gradient_);
    distance = step_.norm();
    slope = gradient_.norm();
  }
  void prepare(double h) {
    factor_ = solver_.eigenvalues().unaryExpr([&](double l) { return h / (1 + h * std::max(l, 0.0)); });
  }
  void euler(const double* y, double* u) {
    model_.gradient(y, gradient_.data());
    Eigen::Map<Vector>(u, d_) -= apply(factor_, gradient_);
  }
  void newton(double* x) const { Eigen::Map<Vector>(x, d_) += step_; }

  /// Directions across Gamma at the linearized point.
  int normal_count() const { return normal_; }

  double largest = 0, smallest = 0, distance = 0, slope = 0;
  int rank = kDynamic;  ///< of the Hessian on Gamma, where it is known: so many of the largest eigenvalues count

 private:
  /// A function of the Hessian with these values at its eigenvalues.
  Vector apply(const Vector& values, const Vector& v) const {
    const auto& Q = solver_.eigenvectors();
    return Q * values.cwiseProduct(Q.transpose() * v);
  }
  const LossModel& model_;
  const int d_;
  int normal_ = 0;
  Matrix hessian_;
  Vector gradient_, step_, factor_;
  Eigen::SelfAdjointEigenSolver<Matrix> solver_;
};

}  // namespace

struct FlowMap::Residuals {
  using System = ResidualSystem<ModelLoss>;
  explicit Residuals(const LossModel& model) : loss{model}, geometry(loss, {}), system(loss, geometry), time(loss.d) {}
  const ModelLoss loss;
  slow::ResidualGeometry<ModelLoss, double> geometry;
  System system;
  TimeFlow<System> time;
};
struct FlowMap::Dense {
  explicit Dense(const LossModel& model) : system(model), time(model.dim()) {}
  DenseSystem system;
  TimeFlow<DenseSystem> time;
};

FlowMap::FlowMap(const LossModel& model, FlowOptions options, Minimum minimum)
    : model_(model), options_(options), minimum_(model.residual_count() > 0 ? minimum : Minimum::least_squares) {}
FlowMap::~FlowMap() = default;

void FlowMap::operator()(double* x) {
  if (!Eigen::Map<const Vector>(x, model_.dim()).allFinite())
    throw FlowError("the gradient flow cannot start from a point that is not finite");
  if (minimum_ != Minimum::least_squares && through_residuals(x)) return;
  through_hessian(x);
}

/// False where the residuals stay, which is then known of Gamma.
bool FlowMap::through_residuals(double* x) {
  if (!residuals_) residuals_ = std::make_unique<Residuals>(model_);
  auto& path = *residuals_;
  bool arrived = true;
  if (model_.residual_count() == 1) {
    along_residual(x);
    path.system.linearize(x);
  } else {
    const auto end = path.time.flow(path.system, options_, x);
    arrived = end != FlowEnd::stalled;
    if (arrived) must_arrive(end, path, x);
  }
  if (arrived) {
    const bool polished = path.time.polish(path.system, x);
    if (path.system.interpolates(path.time.norm(x))) {
      if (!polished) fail_to_polish(path, x);
      return true;
    }
  }
  if (minimum_ == Minimum::interpolating)
    throw FlowError(fmt::format("the gradient flow ends at {}, a minimum where residuals up to {:.3g} stay{}",
                                where(x, model_.dim()), path.system.residual, small_eigenvalue(model_, x, true)));
  minimum_ = Minimum::least_squares;
  return false;
}

void FlowMap::through_hessian(double* x) {
  if (!dense_) dense_ = std::make_unique<Dense>(model_);
  auto& system = dense_->system;
  system.rank = kDynamic;
  must_arrive(dense_->time.flow(system, options_, x), *dense_, x);
  const Vector arrived = Eigen::Map<const Vector>(x, model_.dim());
  const int off_gamma = system.normal_count();
  const bool polished = dense_->time.polish(system, x);
  if (polished && system.normal_count() < off_gamma) {  // again, across Gamma alone
    system.rank = system.normal_count();
    Eigen::Map<Vector>(x, model_.dim()) = arrived;
    system.linearize(x);
    if (dense_->time.polish(system, x)) return;
  }
  if (!polished) fail_to_polish(*dense_, x);
}

void FlowMap::along_residual(double* x) {
  namespace odeint = boost::numeric::odeint;
  using State = std::vector<double>;
  const int d = model_.dim();
  State y(x, x + d);
  double f0;
  model_.residuals(x, &f0);
  if (f0 == 0) return;
  int evaluations = 0;
  // In s = 1 - f/f0 from 0 to 1: dy/ds = -f0 grad f/|grad f|^2.
  const auto field = [&](const State& p, State& v, double) {
    model_.jacobian(p.data(), v.data());
    const double square = Eigen::Map<const Vector>(v.data(), d).squaredNorm();
    if (!(square > 0) || !std::isfinite(square) || ++evaluations > options_.max_evaluations)
      throw FlowError(
          fmt::format("the gradient flow does not reach a minimum: it stops at {}, where grad f = 0 or is "
                      "not finite",
                      where(p.data(), d)));
    for (auto& c : v) c *= -f0 / square;
  };
  try {
    odeint::integrate_adaptive(
        odeint::make_controlled(options_.tolerance, options_.tolerance, odeint::runge_kutta_dopri5<State>()), field, y,
        0.0, 1.0, 0.05);
  } catch (const odeint::odeint_error& e) {
    throw FlowError(fmt::format("the gradient flow cannot be integrated near {}: {}", where(y.data(), d), e.what()));
  }
  std::copy(y.begin(), y.end(), x);
}

/// Throws unless `end` is near_gamma.
template <class Path>
void FlowMap::must_arrive(FlowEnd end, const Path& path, const double* x) const {
  const std::string at = where(x, model_.dim());
  switch (end) {
    case FlowEnd::near_gamma:
      return;
    case FlowEnd::flat:
      throw FlowError(fmt::format("no direction of positive curvature at {}: not near a manifold of minima", at));
    case FlowEnd::not_finite:
      throw FlowError(fmt::format("the gradient flow leaves the domain of the loss at {}", at));
    case FlowEnd::no_step:
      throw FlowError(fmt::format("the gradient flow cannot be integrated near {}: no step is short enough", at));
    case FlowEnd::stalled:
    case FlowEnd::too_long:
      break;
  }
  throw FlowError(
      fmt::format("the gradient flow does not converge: after {} gradients it stands at {} with gradient norm {:.3g}",
                  options_.max_evaluations, at, path.system.slope));
}

template <class Path>
void FlowMap::fail_to_polish(const Path& path, const double* x) const {
  throw FlowError(fmt::format("the gradient flow ends at {} with gradient norm {:.3g}, expected at most {:.3g}{}",
                              where(x, model_.dim()), path.system.slope, path.time.allowed_slope(path.system),
                              small_eigenvalue(model_, x, minimum_ != Minimum::least_squares)));
}

}  // namespace sde::manifold
