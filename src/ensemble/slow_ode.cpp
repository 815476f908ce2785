// The slow SDE where the noise does not diffuse along Gamma: an ODE (theory.md section 4).
#include <algorithm>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>

#include "dynamics_keys.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

namespace {

/// Slow ODE d zeta/dt = drift, adaptive, all lanes alike (there is no noise).
class OdeStepper final : public Stepper {
 public:
  explicit OdeStepper(const Run& run)
      : dim_(run.problem.model->dim()),
        times_(run.timeline.slow_time),
        clock_(run.clock),
        terms_(run.problem.terms()) {}
  int size() const override { return dim_; }
  unsigned advance(LaneState x, std::uint32_t, std::size_t i, double*) override {
    if (times_[i + 1] == times_[i]) return 0;
    namespace odeint = boost::numeric::odeint;
    using State = std::vector<double>;
    State y(static_cast<std::size_t>(dim_));
    for (int k = 0; k < dim_; ++k) y[k] = x[k * kLanes];
    const auto field = [&](const State& at, State& v, double t) {
      terms_->compute(at.data());
      const Vector drift = terms_->contraction(slow::Term::drift, clock_.at(t));
      std::copy(drift.begin(), drift.end(), v.begin());
    };
    bool lost = false;
    try {
      const double width = times_[i + 1] - times_[i];
      odeint::integrate_adaptive(odeint::make_controlled(1e-12, 1e-12, odeint::runge_kutta_dopri5<State>()), field, y,
                                 times_[i], times_[i + 1], 0.1 * width);
      for (int polish = 0; polish < 3; ++polish) {
        terms_->compute(y.data());
        Eigen::Map<Vector>(y.data(), dim_) += terms_->newton_step();
      }
    } catch (const odeint::odeint_error&) {
      lost = true;
    }
    for (int k = 0; k < dim_; ++k)
      for (int l = 0; l < kLanes; ++l) x[k * kLanes + l] = y[k];
    return lost ? 1 : 0;
  }
  long step_after(std::size_t i) const override { return static_cast<long>(i + 1); }

 private:
  const int dim_;
  const std::vector<double>& times_;
  const SlowClock& clock_;
  std::unique_ptr<slow::PointTerms> terms_;
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
