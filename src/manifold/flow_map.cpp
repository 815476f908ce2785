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

#include "sde/model/dense_geometry.hpp"
#include "sde/model/model.hpp"
#include "stiff_flow.hpp"

namespace sde::manifold {

namespace odeint = boost::numeric::odeint;
using State = std::vector<double>;

namespace {

constexpr double kResidualOnGamma = 1e-9;  ///< residuals that count as zero, relative to 1 + |x|

std::string where(const double* x, int d) {
  std::string s = "(";
  for (int k = 0; k < std::min(d, 6); ++k) s += fmt::format("{}{:.6g}", k ? ", " : "", x[k]);
  return s + (d > 6 ? ", ...)" : ")");
}

double norm(const double* x, int d) { return Eigen::Map<const Vector>(x, d).norm(); }

}  // namespace

FlowMap::FlowMap(const LossModel& model, FlowOptions options)
    : model_(model), options_(options), interpolating_(model.residual_count() > 0), none_(std::make_unique<Noise>()) {}
FlowMap::~FlowMap() = default;

slow::PointTerms& FlowMap::terms() {
  if (interpolating_) {
    if (!residual_) residual_ = model_.residual_terms(*none_);
    return *residual_;
  }
  if (!dense_) dense_ = std::make_unique<slow::DenseGeometry>(model_, *none_);
  return *dense_;
}

void FlowMap::operator()(double* x) {
  if (!Eigen::Map<const Vector>(x, model_.dim()).allFinite())
    throw FlowError("the gradient flow cannot start from a point that is not finite");
  if (model_.residual_count() == 1)
    along_residual(x);
  else
    along_time(x);
  polish(x);
}

void FlowMap::along_residual(double* x) {
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

void FlowMap::along_time(double* x) {
  const int d = model_.dim();
  State y(x, x + d);
  int evaluations = 0;
  const auto field = [&](const State& p, State& v, double) {
    if (++evaluations > options_.max_evaluations)
      throw FlowError(
          fmt::format("the gradient flow does not converge: after {} gradients it stands at {} with "
                      "gradient norm {:.3g}",
                      options_.max_evaluations, where(p.data(), d), norm(v.data(), d)));
    v.resize(static_cast<std::size_t>(d));
    model_.gradient(p.data(), v.data());
    for (auto& c : v) c = -c;
  };
  const auto stiff_field = [&](const double* p, double* v) {
    State at(p, p + d), out;
    field(at, out, 0);
    std::copy(out.begin(), out.end(), v);
  };
  const auto stiff_jacobian = [&](const double* p, double* j) {
    model_.hessian(p, j);
    for (int k = 0; k < d * d; ++k) j[k] = -j[k];
  };
  double chunk = 0, previous = std::numeric_limits<double>::infinity();
  for (;;) {
    terms().compute(y.data());
    const Vector lambda = terms().normal_eigenvalues();
    if (lambda.size() == 0)
      throw FlowError(
          fmt::format("no direction of positive curvature at {}: not near a manifold of minima", where(y.data(), d)));
    const double step = terms().newton_step().norm();
    if (!std::isfinite(step))
      throw FlowError(fmt::format("the gradient flow leaves the domain of the loss at {}", where(y.data(), d)));
    const double allowed = options_.polish_below * (1 + norm(y.data(), d));
    if (step <= allowed) break;
    if (interpolating_ && step > 0.5 * previous && chunk * lambda.minCoeff() > 30) {
      // The flow has had time to converge and the residuals stay: a least-squares minimum, not an interpolating one.
      interpolating_ = false;
      previous = std::numeric_limits<double>::infinity();
      continue;
    }
    previous = step;
    chunk = std::max(2 * chunk, 4 / lambda.maxCoeff());
    const double first = 0.1 / lambda.maxCoeff();
    try {
      if (d <= 256 && lambda.maxCoeff() > options_.stiffness * lambda.minCoeff()) {
        // As long as the slowest direction needs, if the curvature stays: each start of the method costs short steps.
        chunk = std::max(chunk, std::max(4.0, 1 + std::log(step / allowed)) / lambda.minCoeff());
        integrate_stiff(d, stiff_field, stiff_jacobian, y.data(), chunk, first, options_.tolerance);
      } else {
        odeint::integrate_adaptive(
            odeint::make_controlled(options_.tolerance, options_.tolerance, odeint::runge_kutta_dopri5<State>()), field,
            y, 0.0, chunk, first);
      }
    } catch (const odeint::odeint_error& e) {
      throw FlowError(fmt::format("the gradient flow cannot be integrated near {}: {}", where(y.data(), d), e.what()));
    }
  }
  std::copy(y.begin(), y.end(), x);
}

void FlowMap::polish(double* x) {
  const int d = model_.dim();
  Eigen::Map<Vector> y(x, d);
  Vector g(d);
  double size = 0, allowed = 0;
  for (int iteration = 0; iteration < 8; ++iteration) {
    terms().compute(x);
    const Vector step = terms().newton_step();
    model_.gradient(x, g.data());
    size = g.norm();
    allowed = 1e-12 * std::max(1.0, terms().lambda_max());
    const bool tiny = step.norm() <= 1e-15 * (1 + y.norm());
    if (size <= allowed && (tiny || iteration > 2)) return;
    y += step;
  }
  model_.gradient(x, g.data());
  size = g.norm();
  if (!(size <= allowed))
    throw FlowError(fmt::format("the gradient flow ends at {} with gradient norm {:.3g}, expected at most {:.3g}",
                                where(x, d), size, allowed));
}

}  // namespace sde::manifold
