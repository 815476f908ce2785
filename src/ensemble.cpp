#include <fmt/format.h>

#include <algorithm>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "sde/ensemble/method.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/slow/dense_geometry.hpp"
#include "timeline.hpp"

namespace sde::ensemble {

void Problem::settle() {
  start_on_gamma = start;
  manifold::FlowMap flow(*model);
  flow(start_on_gamma.data());
  interpolating = flow.interpolating();
}

std::unique_ptr<slow::PointTerms> Problem::terms() const {
  if (interpolating) return model->residual_terms(noise);
  return std::make_unique<slow::DenseGeometry>(*model, noise);
}

std::vector<std::string> observable_names(const Problem& problem, const Observation& observation) {
  std::vector<std::string> names{"loss", "trace_hessian", "lambda_max", "distance", "disagreement"};
  if (problem.model->has_test_error()) names.emplace_back("test_error");
  for (const auto& p : observation.polynomials) names.push_back(p.text);
  return names;
}

double MethodResult::quantile(std::size_t time, std::size_t observable, double p) const {
  auto kept = samples[time][observable];
  if (kept.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(kept.begin(), kept.end());
  const double position = p * static_cast<double>(kept.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= kept.size()) return kept.back();
  const double part = position - static_cast<double>(below);
  return kept[below] * (1 - part) + kept[below + 1] * part;
}

namespace {

constexpr int kBlock = 64;          ///< paths whose moments are gathered before they join the total
constexpr double kDiverged = 1e8;   ///< a coordinate beyond this has diverged

using Table = std::vector<std::vector<stats::Moments>>;

Table table(std::size_t times, std::size_t quantities) { return Table(times, std::vector<stats::Moments>(quantities)); }

void merge(Table& into, const Table& from) {
  for (std::size_t t = 0; t < into.size(); ++t)
    for (std::size_t q = 0; q < into[t].size(); ++q) into[t][q].merge(from[t][q]);
}

MethodResult empty_result(const Problem& problem, const Observation& observation, const std::vector<double>& slow_time) {
  MethodResult r;
  const std::size_t times = observation.times.size(), c = static_cast<std::size_t>(observation.components);
  r.slow_time = slow_time;
  r.observables = observable_names(problem, observation);
  r.values = table(times, r.observables.size());
  r.drift_1 = r.drift_2 = r.ito_normal = r.diffusion = table(times, c);
  r.rate = table(times > 0 ? times - 1 : 0, c);
  r.samples.assign(times, std::vector<std::vector<double>>(r.observables.size()));
  return r;
}

void merge(MethodResult& into, const MethodResult& from) {
  merge(into.values, from.values);
  merge(into.drift_1, from.drift_1);
  merge(into.drift_2, from.drift_2);
  merge(into.ito_normal, from.ito_normal);
  merge(into.diffusion, from.diffusion);
  merge(into.rate, from.rate);
  for (std::size_t t = 0; t < into.samples.size(); ++t)
    for (std::size_t q = 0; q < into.samples[t].size(); ++q) {
      auto& kept = into.samples[t][q];
      const auto& more = from.samples[t][q];
      const auto room = static_cast<std::size_t>(MethodResult::kQuantilePaths) - kept.size();
      kept.insert(kept.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(std::min(room, more.size())));
    }
  if (into.lost == 0 && from.lost > 0) into.first_lost = from.first_lost;
  into.paths += from.paths;
  into.lost += from.lost;
  into.gradients += from.gradients;
}

/// Observes one path: Phi, the terms there, and the increments of Phi since the last observation.
class Observer {
 public:
  Observer(const Problem& problem, const Method& method, const Observation& observation, const SlowClock& clock,
           MethodResult& result)
      : problem_(problem),
        method_(method),
        observation_(observation),
        clock_(clock),
        result_(result),
        flow_(*problem.model, manifold::kObservationFlow),
        terms_(problem.terms()),
        previous_(kBlock, Vector()) {}

  /// theta[d] of path number `local` in the block. Throws manifold::FlowError where Phi does not exist.
  void operator()(std::size_t t, int local, const double* theta, double spread) {
    const int d = problem_.model->dim();
    point_ = Eigen::Map<const Vector>(theta, d);
    if (method_.stepwise()) flow_(point_.data());
    terms_->compute(point_.data());
    const Vector lambda = terms_->normal_eigenvalues();
    values_.clear();
    values_.push_back(problem_.model->value(theta));
    values_.push_back(lambda.sum());
    values_.push_back(lambda.maxCoeff());
    values_.push_back((point_ - Eigen::Map<const Vector>(theta, d)).norm());
    values_.push_back(spread);
    if (problem_.model->has_test_error()) values_.push_back(problem_.model->test_error(theta));
    for (const auto& p : observation_.polynomials) values_.push_back(p(point_.data()));
    for (std::size_t q = 0; q < values_.size(); ++q) {
      result_.values[t][q].add(values_[q]);
      result_.samples[t][q].push_back(values_[q]);
    }
    if (observation_.components > 0) predict(t);
    auto& previous = previous_[static_cast<std::size_t>(local)];
    if (t > 0 && previous.size() > 0) {
      const double width = result_.slow_time[t] - result_.slow_time[t - 1];
      if (width > 0)
        for (int c = 0; c < observation_.components; ++c)
          result_.rate[t - 1][static_cast<std::size_t>(c)].add((point_[c] - previous[c]) / width);
    }
    previous = point_;
  }

 private:
  void predict(std::size_t t) {
    const slow::Parameters p = clock_.at(result_.slow_time[t]);
    const Vector first = terms_->contraction(slow::Term::drift_1, p);
    const Vector second =
        p.workers > 1 ? terms_->contraction(slow::Term::drift_2, p) : Vector::Zero(problem_.model->dim());
    const Vector normal = terms_->ito_normal(p.batch);
    const slow::Matrix columns = terms_->tangent_noise();
    for (int c = 0; c < observation_.components; ++c) {
      const auto i = static_cast<std::size_t>(c);
      result_.drift_1[t][i].add(first[c]);
      result_.drift_2[t][i].add(second[c]);
      result_.ito_normal[t][i].add(normal[c]);
      result_.diffusion[t][i].add(columns.row(c).squaredNorm() / p.batch);
    }
  }

  const Problem& problem_;
  const Method& method_;
  const Observation& observation_;
  const SlowClock& clock_;
  MethodResult& result_;
  manifold::FlowMap flow_;
  std::unique_ptr<slow::PointTerms> terms_;
  std::vector<Vector> previous_;
  Vector point_;
  std::vector<double> values_;
};

/// What moves kLanes paths from one observation to the next. Returns the lanes lost on the way.
class Mover {
 public:
  virtual ~Mover() = default;
  virtual unsigned advance(LaneState x, std::uint32_t path, std::size_t interval, double* spread) = 0;
  virtual long step_after(std::size_t interval) const = 0;
};

class DiscreteMover final : public Mover {
 public:
  DiscreteMover(const Problem& p, const Method& m, const Timeline& timeline)
      : timeline_(timeline), kernel_(p.model->discrete_kernel(p.noise, m.algorithm)) {}
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    kernel_->advance(x, path, timeline_.steps[i], timeline_.steps[i + 1], spread);
    return 0;
  }
  long step_after(std::size_t i) const override { return timeline_.steps[i + 1]; }

 private:
  const Timeline& timeline_;
  std::unique_ptr<DiscreteKernel> kernel_;
};

/// Steps in the interval and before it: each interval has a whole number of equal steps of at most dt.
struct StepPlan {
  std::vector<std::int64_t> first{0};
  StepPlan(const std::vector<double>& times, double dt) {
    for (std::size_t i = 0; i + 1 < times.size(); ++i)
      first.push_back(first.back() + std::max<std::int64_t>(1, std::llround(std::ceil((times[i + 1] - times[i]) / dt - 1e-9))));
  }
};

class SlowMover final : public Mover {
 public:
  SlowMover(const Problem& p, const Method& m, const std::vector<double>& times, const SlowClock& clock)
      : dim_(p.model->dim()), method_(m), times_(times), clock_(clock), plan_(times, m.dt) {
    kernel_ = p.interpolating ? p.model->residual_slow_kernel(p.noise) : slow::dense_slow_kernel(*p.model, p.noise);
    if (m.flow_retraction) flow_ = std::make_unique<manifold::FlowMap>(*p.model);
  }
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double*) override {
    const std::int64_t count = plan_.first[i + 1] - plan_.first[i];
    slow::Steps steps;
    steps.dt = (times_[i + 1] - times_[i]) / static_cast<double>(count);
    steps.integrator = method_.integrator;
    steps.count = clock_.constant() && !flow_ ? count : 1;
    steps.retract = !flow_;
    unsigned lost = 0;
    for (std::int64_t s = 0; s < count; s += steps.count) {
      steps.parameters = clock_.at(times_[i] + (static_cast<double>(s) + 0.5) * steps.dt);
      steps.first_step = plan_.first[i] + s;
      lost |= kernel_->advance(x, {method_.algorithm.seed, path, 0}, steps);
      if (flow_) lost |= flow_lanes(x);
    }
    return lost;
  }
  long step_after(std::size_t i) const override { return plan_.first[i + 1]; }

 private:
  const int dim_;
  const Method& method_;
  const std::vector<double>& times_;
  const SlowClock& clock_;
  const StepPlan plan_;
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
  CoupledMover(const Problem& p, const Method& m, const Timeline& timeline)
      : method_(m),
        timeline_(timeline),
        flow_(*p.model),
        dim_(p.model->dim()),
        kernel_(p.interpolating ? p.model->residual_slow_kernel(p.noise) : slow::dense_slow_kernel(*p.model, p.noise)) {}
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    const auto& a = method_.algorithm;
    unsigned lost = 0;
    std::vector<double> start(static_cast<std::size_t>(dim_ * kLanes)), worker(start.size()), sum(start.size());
    for (std::int64_t k = timeline_.steps[i]; k < timeline_.steps[i + 1];) {
      const double eta = a.rate(k);
      const std::int64_t H = a.sync(k, eta);
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
  manifold::FlowMap flow_;
  const int dim_;
  std::unique_ptr<SlowKernel> kernel_;
};

}  // namespace

MethodResult run(const Problem& problem, const Method& method, const Observation& observation, const Control& control) {
  const bool rounds = method.stepwise() || method.kind == Kind::coupled_slow;
  Timeline timeline;
  if (rounds)
    timeline = observe_at_rounds(method.algorithm, observation.times);
  else
    timeline.slow_time = observation.times;
  const SlowClock clock(method);
  const int d = problem.model->dim();
  const std::size_t times = observation.times.size();
  const Vector& start = method.stepwise() ? problem.start : problem.start_on_gamma;

  const auto block = [&](long b) {
    MethodResult part = empty_result(problem, observation, timeline.slow_time);
    std::unique_ptr<Mover> mover;
    if (method.stepwise())
      mover = std::make_unique<DiscreteMover>(problem, method, timeline);
    else if (method.kind == Kind::coupled_slow)
      mover = std::make_unique<CoupledMover>(problem, method, timeline);
    else if (method.ode)
      mover = std::make_unique<OdeMover>(problem, timeline.slow_time, clock);
    else
      mover = std::make_unique<SlowMover>(problem, method, timeline.slow_time, clock);
    Observer observe(problem, method, observation, clock, part);
    const long first = b * kBlock, last = std::min(method.paths, first + kBlock);
    std::vector<double> x(static_cast<std::size_t>(d * kLanes)), theta(static_cast<std::size_t>(d));
    for (long group = first; group < last; group += kLanes) {
      const int active = static_cast<int>(std::min<long>(kLanes, last - group));
      unsigned gone = 0;
      double spread[kLanes] = {};
      for (int k = 0; k < d; ++k)
        for (int l = 0; l < kLanes; ++l) x[k * kLanes + l] = start[k];
      const auto lose = [&](int l, std::size_t t, std::string reason) {
        gone |= 1u << l;
        if (part.lost++ == 0)
          part.first_lost = {group + l, t > 0 ? mover->step_after(t - 1) : 0, timeline.slow_time[t], std::move(reason)};
      };
      for (std::size_t t = 0; t < times; ++t) {
        unsigned failed = 0;
        if (t > 0) failed = mover->advance(x.data(), static_cast<std::uint32_t>(group), t - 1, spread);
        for (int l = 0; l < active; ++l) {
          if (gone >> l & 1) continue;
          bool inside = true;
          for (int k = 0; k < d; ++k) {
            theta[k] = x[k * kLanes + l];
            inside = inside && std::abs(theta[k]) < kDiverged;
          }
          if (!inside || (failed >> l & 1)) {
            const Eigen::Map<const Vector> v(theta.data(), d);
            lose(l, t, inside ? fmt::format("the retraction did not converge near x1 = {:.6g}", theta[0])
                              : fmt::format("|theta| = {:.3g}", v.norm()));
            continue;
          }
          try {
            observe(t, static_cast<int>(group - first) + l, theta.data(), spread[l]);
          } catch (const manifold::FlowError& e) {
            lose(l, t, e.what());
          }
        }
        if (control.interrupted && *control.interrupted) throw Interrupted();
      }
      part.paths += active;
    }
    return part;
  };

  MethodResult total = empty_result(problem, observation, timeline.slow_time);
  const long blocks = (method.paths + kBlock - 1) / kBlock;
  parallel_ordered(0, blocks, control.threads, block, [&](long b, MethodResult part) {
    merge(total, part);
    control.progress(static_cast<double>(b + 1) / static_cast<double>(blocks));
  });
  if (rounds) {
    const double per_step = method.kind == Kind::sgd || method.kind == Kind::conventional_sgd ? 1 : method.algorithm.workers;
    total.gradients = static_cast<double>(timeline.steps.back()) * per_step * static_cast<double>(method.paths) *
                      (method.algorithm.conventional ? method.algorithm.substeps : 1);
  }
  return total;
}

}  // namespace sde::ensemble
