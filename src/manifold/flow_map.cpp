#include "sde/manifold/flow_map.hpp"

#include <fmt/format.h>

#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <vector>

#include "sde/manifold/hessian_system.hpp"
#include "sde/manifold/residual_system.hpp"
#include "sde/manifold/spectrum.hpp"
#include "sde/model/model.hpp"

namespace sde::manifold {

using slow::Vector;

namespace {

/// What turns the coordinates phi = theta/root of a metric into theta, and derivatives by theta into those by phi.
class Coordinates {
 public:
  Coordinates(const Vector& root, int d) : root_(root), theta_(d) {}
  /// theta = root phi; valid until the next call.
  const double* operator()(const double* phi) const {
    if (root_.size() == 0) return phi;
    theta_ = root_.cwiseProduct(Eigen::Map<const Vector>(phi, root_.size()));
    return theta_.data();
  }
  /// H[d][d] <- diag(root) H diag(root)
  void scale_both(double* H) const {
    const Eigen::Index d = root_.size();
    for (Eigen::Index i = 0; i < d; ++i)
      for (Eigen::Index j = 0; j < d; ++j) H[i * d + j] *= root_[i] * root_[j];
  }
  /// u[d] *= root, of each of `rows` rows.
  void scale(double* u, int rows = 1) const {
    for (int r = 0; r < rows && root_.size() > 0; ++r, u += root_.size())
      Eigen::Map<Vector>(u, root_.size()).array() *= root_.array();
  }

 private:
  const Vector& root_;
  mutable Vector theta_;
};

/// A model as the templates over losses ask for one, on doubles.
struct ModelLoss {
  const LossModel& model;
  const Coordinates at;
  const int d = model.dim(), n = model.residual_count();
  ModelLoss(const LossModel& m, const Vector& root) : model(m), at(root, m.dim()) {}
  int dim() const { return d; }
  int residual_count() const { return n; }
  void residuals(const double* x, double* f) const { model.residuals(at(x), f); }
  void jacobian(const double* x, double* J) const {
    model.jacobian(at(x), J);
    at.scale(J, n);
  }
  void pullback(const double* x, const double* w, double* g) const {
    model.pullback(at(x), w, g);
    at.scale(g);
  }
};

/// The same without residuals: any model.
struct ModelValue {
  const LossModel& model;
  const Coordinates at, direction;
  ModelValue(const LossModel& m, const Vector& root) : model(m), at(root, m.dim()), direction(root, m.dim()) {}
  int dim() const { return model.dim(); }
  double value(const double* x) const { return model.value(at(x)); }
  void gradient(const double* x, double* g) const {
    model.gradient(at(x), g);
    at.scale(g);
  }
  void hessian(const double* x, double* H) const {
    model.hessian(at(x), H);
    const int d = dim();
    for (int i = 0; i < d; ++i)
      for (int j = 0; j < i; ++j) H[i * d + j] = H[j * d + i] = 0.5 * (H[i * d + j] + H[j * d + i]);
    at.scale_both(H);
  }
  void third_along(const double* x, const double* u, double* out) const {
    model.third_along(at(x), direction(u), out);
    at.scale(out);
  }
};

}  // namespace

struct FlowMap::Residuals {
  using System = ResidualSystem<ModelLoss>;
  Residuals(const LossModel& model, const Vector& root)
      : loss(model, root), geometry(loss, {}), system(loss, geometry), time(loss.d) {}
  const ModelLoss loss;
  slow::ResidualGeometry<ModelLoss, double> geometry;
  System system;
  TimeFlow<System> time;
};
struct FlowMap::Dense {
  using System = HessianSystem<ModelValue>;
  Dense(const LossModel& model, const Vector& root)
      : loss(model, root), geometry(loss, {}), system(loss, geometry), time(model.dim()) {}
  const ModelValue loss;
  slow::HessianGeometry<ModelValue, double> geometry;
  System system;
  TimeFlow<System> time;
};

FlowMap::FlowMap(const LossModel& model, FlowOptions options, Minimum minimum)
    : model_(model), options_(options), minimum_(model.residual_count() > 0 ? minimum : Minimum::least_squares) {}
FlowMap::~FlowMap() = default;

void FlowMap::operator()(double* x) {
  if (!Eigen::Map<const Vector>(x, model_.dim()).allFinite())
    throw FlowError("the gradient flow cannot start from a point that is not finite");
  if (root_.size() == 0) return flow(x);
  Eigen::Map<Vector> y(x, model_.dim());
  y.array() /= root_.array();
  try {
    flow(x);
  } catch (const FlowError&) {
    y.array() *= root_.array();
    throw;
  }
  y.array() *= root_.array();
}

std::string FlowMap::where(const double* x) const {
  const int d = model_.dim();
  std::string s = "(";
  for (int k = 0; k < std::min(d, 6); ++k)
    s += fmt::format("{}{:.6g}", k ? ", " : "", root_.size() > 0 ? root_[k] * x[k] : x[k]);
  return s + (d > 6 ? ", ...)" : ")");
}

void FlowMap::flow(double* x) {
  if (minimum_ != Minimum::least_squares && through_residuals(x)) return;
  through_hessian(x);
}

/// False where the residuals stay, which is then known of Gamma.
bool FlowMap::through_residuals(double* x) {
  if (!residuals_) residuals_ = std::make_unique<Residuals>(model_, root_);
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
    throw FlowError(fmt::format("the gradient flow ends at {}, a minimum where residuals up to {:.3g} stay{}", where(x),
                                path.system.residual,
                                small_eigenvalue(model_, Coordinates(root_, model_.dim())(x), true)));
  minimum_ = Minimum::least_squares;
  return false;
}

void FlowMap::through_hessian(double* x) {
  if (!dense_) dense_ = std::make_unique<Dense>(model_, root_);
  auto& path = *dense_;
  must_arrive(path.time.flow(path.system, options_, x), path, x);
  if (!polish_across(path.time, path.system, x)) fail_to_polish(path, x);
}

void FlowMap::along_residual(double* x) {
  namespace odeint = boost::numeric::odeint;
  using State = std::vector<double>;
  const int d = model_.dim();
  const ModelLoss& loss = residuals_->loss;
  State y(x, x + d);
  double f0;
  loss.residuals(x, &f0);
  if (f0 == 0) return;
  int evaluations = 0;
  // In s = 1 - f/f0 from 0 to 1: dy/ds = -f0 grad f/|grad f|^2.
  const auto field = [&](const State& p, State& v, double) {
    loss.jacobian(p.data(), v.data());
    const double square = Eigen::Map<const Vector>(v.data(), d).squaredNorm();
    if (!(square > 0) || !std::isfinite(square) || ++evaluations > options_.max_evaluations)
      throw FlowError(
          fmt::format("the gradient flow does not reach a minimum: it stops at {}, where grad f = 0 or is "
                      "not finite",
                      where(p.data())));
    for (auto& c : v) c *= -f0 / square;
  };
  try {
    odeint::integrate_adaptive(
        odeint::make_controlled(options_.tolerance, options_.tolerance, odeint::runge_kutta_dopri5<State>()), field, y,
        0.0, 1.0, 0.05);
  } catch (const odeint::odeint_error& e) {
    throw FlowError(fmt::format("the gradient flow cannot be integrated near {}: {}", where(y.data()), e.what()));
  }
  std::copy(y.begin(), y.end(), x);
}

/// Throws unless `end` is near_gamma.
template <class Path>
void FlowMap::must_arrive(FlowEnd end, const Path& path, const double* x) const {
  const std::string at = where(x);
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
  throw FlowError(
      fmt::format("the gradient flow ends at {} with gradient norm {:.3g}, expected at most {:.3g}{}", where(x),
                  path.system.slope, path.time.allowed_slope(path.system),
                  small_eigenvalue(model_, Coordinates(root_, model_.dim())(x), minimum_ != Minimum::least_squares)));
}

}  // namespace sde::manifold
