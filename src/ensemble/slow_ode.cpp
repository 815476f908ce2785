// The slow SDE where the noise does not diffuse along Gamma: an ODE (theory.md section 4).
#include <algorithm>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/util/odeint_error.hpp>
#include <limits>

#include "dynamics_keys.hpp"
#include "sde/model/moving_geometry.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

namespace {

/// Slow ODE d zeta/dt = drift, adaptive, all lanes alike (there is no noise).
class OdeStepper final : public Stepper {
 public:
  explicit OdeStepper(const Run& run)
      : dim_(run.problem.model->dim()), times_(run.timeline.slow_time), clock_(run.clock), terms_(run.problem.terms()) {
    if (const auto metric = run.method.algorithm.type->metric(run.method.algorithm))
      moving_ = std::make_unique<slow::MovingGeometry>(*run.problem.model, run.problem.noise, *metric);
  }
  int size() const override { return moving_ ? 2 * dim_ : dim_; }
  unsigned advance(LaneState x, std::uint32_t, std::size_t i, double*) override {
    if (times_[i + 1] == times_[i]) return 0;
    namespace odeint = boost::numeric::odeint;
    using State = std::vector<double>;
    State y(static_cast<std::size_t>(size()));
    for (int k = 0; k < size(); ++k) y[k] = x[k * kLanes];
    bool known = true;  // the drift, wherever it was asked for
    const auto field = [&](const State& at, State& v, double t) {
      auto& terms = terms_at(at);
      const Vector drift = terms.contraction(slow::Term::drift, clock_.at(t));
      known = known && drift.allFinite();
      std::copy(drift.begin(), drift.end(), v.begin());
      if (!moving_) return;
      const Vector of_v = moving_->velocity(at.data(), v_at(at));
      std::copy(of_v.begin(), of_v.end(), v.begin() + dim_);
    };
    bool lost = false;
    try {
      const double width = times_[i + 1] - times_[i];
      // In a metric a step costs d x d eigenproblems.
      const double tolerance = moving_ ? 1e-9 : 1e-12;
      auto stepper = odeint::make_controlled(tolerance, tolerance, odeint::runge_kutta_dopri5<State>());
      // As odeint::integrate_adaptive(), which takes an error that is not a number for a small one: a step that leaves
      // where the drift is known is too long.
      constexpr double kAlike = std::numeric_limits<double>::epsilon();
      const double end = times_[i + 1];
      double t = times_[i], dt = 0.1 * width;
      for (int failed = 0; end - t > kAlike;) {
        if (t + dt - end > kAlike) dt = end - t;
        const State before = y;
        const double from = t, length = dt;
        known = true;
        const auto step = stepper.try_step(field, y, t, dt);
        if (!known) {
          stepper.reset();  // it keeps the drift where the step ended
          y = before, t = from, dt = 0.5 * length;
        }
        failed = known && step == odeint::success ? 0 : failed + 1;
        if (failed > 500) throw odeint::no_progress_error("no step is short enough");
      }
      for (int polish = 0; polish < 3; ++polish) {
        Eigen::Map<Vector>(y.data(), dim_) += terms_at(y).newton_step();
      }
    } catch (const odeint::odeint_error&) {
      lost = true;
    }
    for (int k = 0; k < size(); ++k)
      for (int l = 0; l < kLanes; ++l) x[k * kLanes + l] = y[k];
    return lost ? 1 : 0;
  }
  long step_after(std::size_t i) const override { return static_cast<long>(i + 1); }

 private:
  /// v of a state, which has v - v(0).
  Vector v_at(const std::vector<double>& y) const {
    return moving_->metric().start + Eigen::Map<const Vector>(y.data() + dim_, dim_);
  }
  slow::PointTerms& terms_at(const std::vector<double>& y) {
    if (moving_) return moving_->at(y.data(), v_at(y));
    terms_->compute(y.data());
    return *terms_;
  }
  const int dim_;
  const std::vector<double>& times_;
  const SlowClock& clock_;
  std::unique_ptr<slow::PointTerms> terms_;
  std::unique_ptr<slow::MovingGeometry> moving_;  ///< of an adaptive method
};

class SlowOde final : public Dynamics {
 public:
  std::string kind(const discrete::AlgorithmType& type) const override {
    return std::string("slow_ode_") + type.name();
  }
  const char* description() const override { return "the slow SDE without diffusion, by adaptive steps"; }
  const char* suffix() const override { return " (slow ODE)"; }
  bool on_gamma() const override { return true; }
  bool in_rounds() const override { return false; }
  bool takes_limit() const override { return true; }
  bool one_path() const override { return true; }
  void read(Keys& keys, Method& m, double) const override {
    read_refined(keys, m);
    read_drift_factors(keys, m);
  }
  void check(const Problem& p, const Method& m) const override {
    check_metric(p, m);
    const auto terms = p.terms();
    terms->compute(p.start_on_gamma.data());
    if (terms->tangent_noise().norm() > 1e-9)
      throw InputError("method: '" + m.name +
                       "' is a slow ODE, but this noise diffuses along Gamma: expected kind = \"" +
                       slow_sde().kind(*m.algorithm.type) + "\"");
  }
  double gradients(const Method&, std::int64_t) const override { return 0; }
  double work(const Method&, double) const override { return 1e4; }
  std::unique_ptr<Stepper> stepper(const Run& run) const override { return std::make_unique<OdeStepper>(run); }
};

}  // namespace

const Dynamics& slow_ode() {
  static const SlowOde one;
  return one;
}

}  // namespace sde::ensemble
