#include <algorithm>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "mover.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::ensemble {

namespace {

/// Steps that a kernel takes between two looks at the interruption flag.
constexpr std::int64_t kPiece = 1 << 16;

void stop_if(const std::atomic<bool>* interrupted) {
  if (interrupted && *interrupted) throw Interrupted();
}

class DiscreteMover final : public Mover {
 public:
  DiscreteMover(const Problem& p, const Method& m, const Timeline& timeline, const std::atomic<bool>* interrupted)
      : dim_(p.model->dim()),
        algorithm_(m.algorithm),
        timeline_(timeline),
        interrupted_(interrupted),
        kernel_(p.model->discrete_kernel(p.noise, m.algorithm, m.precision)) {}
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    const std::int64_t end = timeline_.steps[i + 1];
    for (std::int64_t k = timeline_.steps[i]; k < end;) {
      stop_if(interrupted_);
      const std::int64_t next = whole_rounds(k, end, kPiece);
      kernel_->advance(x, path, k, next, spread);
      k = next;
    }
    return 0;
  }
  long diverged_at(LaneState x, std::uint32_t path, std::size_t i, int lane) override {
    const std::int64_t end = timeline_.steps[i + 1];
    double spread[kLanes];
    for (std::int64_t k = timeline_.steps[i]; k < end;) {
      stop_if(interrupted_);
      const std::int64_t next = whole_rounds(k, end, 1);
      kernel_->advance(x, path, k, next, spread);
      if (!in_domain(x + lane, dim_, kLanes)) return next;
      k = next;
    }
    return end;
  }
  long step_after(std::size_t i) const override { return timeline_.steps[i + 1]; }

 private:
  /// The end of the first round at or after k + least (of a step, where there are no rounds).
  std::int64_t whole_rounds(std::int64_t k, std::int64_t end, std::int64_t least) const {
    for (const std::int64_t goal = std::min(end, k + least); k < goal;) {
      const auto round = algorithm_.round(k);
      k = round.workers == 1 ? goal : std::min(end, k + round.H);
    }
    return k;
  }
  const int dim_;
  const discrete::LocalSgd& algorithm_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  std::unique_ptr<DiscreteKernel> kernel_;
};

class SlowMover final : public Mover {
 public:
  SlowMover(const Problem& p, const Method& m, const std::vector<double>& times, const SlowClock& clock,
            const std::atomic<bool>* interrupted)
      : dim_(p.model->dim()),
        method_(m),
        times_(times),
        clock_(clock),
        first_step_(slow_steps(times, m.dt)),
        interrupted_(interrupted) {
    kernel_ = p.interpolating ? p.model->residual_slow_kernel(p.noise, m.precision)
                              : slow::dense_slow_kernel(*p.model, p.noise);
    if (m.flow_retraction) flow_ = std::make_unique<manifold::FlowMap>(*p.model, manifold::FlowOptions{}, p.minimum());
  }
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double*) override {
    unsigned lost = 0;
    clock_.for_each_piece(times_, first_step_, i, flow_ ? 1 : kPiece / 16, [&](slow::Steps& steps) {
      stop_if(interrupted_);
      steps.retract = !flow_;
      lost |= kernel_->advance(x, {method_.algorithm.seed, path, 0}, steps);
      if (flow_) lost |= flow_lanes(x);
    });
    return lost;
  }
  long step_after(std::size_t i) const override { return first_step_[i + 1]; }

 private:
  const int dim_;
  const Method& method_;
  const std::vector<double>& times_;
  const SlowClock& clock_;
  const std::vector<std::int64_t> first_step_;
  const std::atomic<bool>* interrupted_;
  std::unique_ptr<SlowKernel> kernel_;
  std::unique_ptr<manifold::FlowMap> flow_;

  unsigned flow_lanes(LaneState x) {
    unsigned lost = 0;
    Vector p(dim_);
    for (int l = 0; l < kLanes; ++l) {
      for (int k = 0; k < dim_; ++k) p[k] = x[k * kLanes + l];
      try {
        (*flow_)(p.data());
      } catch (const manifold::FlowError&) {
        lost |= 1u << l;
      }
      for (int k = 0; k < dim_; ++k) x[k * kLanes + l] = p[k];
    }
    return lost;
  }
};

/// Slow ODE d zeta/dt = drift, adaptive, all lanes alike (there is no noise).
class OdeMover final : public Mover {
 public:
  OdeMover(const Problem& p, const std::vector<double>& times, const SlowClock& clock)
      : dim_(p.model->dim()), times_(times), clock_(clock), terms_(p.terms()) {}
  unsigned advance(LaneState x, std::uint32_t, std::size_t i, double*) override {
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

/// K slow SDEs with batch B_loc for slow time H eta^2, then the average and Phi (theory.md section 5).
class CoupledMover final : public Mover {
 public:
  CoupledMover(const Problem& p, const Method& m, const Timeline& timeline, const std::atomic<bool>* interrupted)
      : method_(m),
        timeline_(timeline),
        interrupted_(interrupted),
        flow_(*p.model, {}, p.minimum()),
        dim_(p.model->dim()),
        kernel_(p.interpolating ? p.model->residual_slow_kernel(p.noise, m.precision)
                                : slow::dense_slow_kernel(*p.model, p.noise)) {}
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    const auto& a = method_.algorithm;
    unsigned lost = 0;
    std::vector<double> start(static_cast<std::size_t>(dim_ * kLanes)), worker(start.size()), sum(start.size());
    for (std::int64_t k = timeline_.steps[i]; k < timeline_.steps[i + 1];) {
      stop_if(interrupted_);
      const double eta = a.rate(k);
      const std::int64_t H = a.round_length(k);
      const double beta = eta * eta * static_cast<double>(H);
      slow::Steps steps;
      steps.count = std::max<std::int64_t>(1, std::llround(std::ceil(beta / method_.dt - 1e-9)));
      steps.dt = beta / static_cast<double>(steps.count);
      steps.integrator = method_.integrator;
      steps.parameters.batch = static_cast<double>(a.batch) / a.workers;
      steps.first_step = k * steps.count;  // disjoint from every other round's draws
      std::copy(x, x + dim_ * kLanes, start.begin());
      std::fill(sum.begin(), sum.end(), 0.0);
      std::vector<double> square(kLanes, 0.0);
      for (int w = 0; w < a.workers; ++w) {
        worker = start;
        lost |= kernel_->advance(worker.data(), {a.seed, path, static_cast<std::uint32_t>(w)}, steps);
        for (std::size_t e = 0; e < sum.size(); ++e) {
          const double u = worker[e] - start[e];
          sum[e] += u;
          square[e % kLanes] += u * u;
        }
      }
      for (int l = 0; l < kLanes; ++l) {
        Vector p(dim_);
        double mean_square = 0;
        for (int c = 0; c < dim_; ++c) {
          const double mean = sum[c * kLanes + l] / a.workers;
          mean_square += mean * mean;
          p[c] = start[c * kLanes + l] + mean;
        }
        spread[l] = std::sqrt(std::max(0.0, square[l] / a.workers - mean_square));
        try {
          flow_(p.data());
        } catch (const manifold::FlowError&) {
          lost |= 1u << l;
        }
        for (int c = 0; c < dim_; ++c) x[c * kLanes + l] = p[c];
      }
      k += H;
    }
    return lost;
  }
  long step_after(std::size_t i) const override { return timeline_.steps[i + 1]; }

 private:
  const Method& method_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  manifold::FlowMap flow_;
  const int dim_;
  std::unique_ptr<SlowKernel> kernel_;
};

}  // namespace

bool in_domain(const double* x, int dim, int stride) {
  for (int k = 0; k < dim; ++k)
    if (!(std::abs(x[k * stride]) < kDiverged)) return false;
  return true;
}

std::unique_ptr<Mover> make_mover(const Problem& problem, const Method& method, const Timeline& timeline,
                                  const SlowClock& clock, const std::atomic<bool>* interrupted) {
  if (method.stepwise()) return std::make_unique<DiscreteMover>(problem, method, timeline, interrupted);
  if (method.kind == Kind::coupled_slow) return std::make_unique<CoupledMover>(problem, method, timeline, interrupted);
  if (method.ode) return std::make_unique<OdeMover>(problem, timeline.slow_time, clock);
  return std::make_unique<SlowMover>(problem, method, timeline.slow_time, clock, interrupted);
}

}  // namespace sde::ensemble
