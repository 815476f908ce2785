// The slow SDE (theory.md section 3).
#include "dynamics_keys.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/moving_geometry.hpp"
#include "sde/slow/hessian_geometry.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

namespace {

/// Steps that a kernel takes between two looks at the interruption flag.
constexpr std::int64_t kChunk = 1 << 12;

class SlowStepper final : public Stepper {
 public:
  explicit SlowStepper(const Run& run)
      : dim_(run.problem.model->dim()),
        seed_(run.method.algorithm.seed),
        times_(run.timeline.slow_time),
        clock_(run.clock),
        first_step_(slow_steps(times_, run.method.dt)),
        interrupted_(run.interrupted),
        metric_(run.method.algorithm.type->metric(run.method.algorithm)),
        kernel_(metric_ ? slow::metric_slow_kernel(*run.problem.model, run.problem.noise, *metric_,
                                                   run.problem.interpolating, run.method.precision)
                        : slow::slow_kernel(*run.problem.model, run.problem.noise, run.problem.interpolating,
                                            run.method.precision)) {
    if (run.method.flow_retraction)
      flow_ = std::make_unique<manifold::FlowMap>(*run.problem.model, manifold::FlowOptions{}, run.problem.minimum());
  }
  int size() const override { return metric_ ? 2 * dim_ : dim_; }
  void use_lanes(int count) override { kernel_->use_lanes(count); }
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double*) override {
    unsigned lost = 0;
    clock_.for_each_chunk(times_, first_step_, i, flow_ ? 1 : kChunk, [&](slow::Steps& steps) {
      stop_if(interrupted_);
      steps.retract = !flow_;
      lost |= kernel_->advance(x, {seed_, path, 0}, steps);
      if (flow_) lost |= flow_lanes(x);
    });
    return lost;
  }
  long step_after(std::size_t i) const override { return first_step_[i + 1]; }

 private:
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

  const int dim_;
  const std::uint64_t seed_;
  const std::vector<double>& times_;
  const SlowClock& clock_;
  const std::vector<std::int64_t> first_step_;
  const std::atomic<bool>* interrupted_;
  const std::optional<slow::MovingMetric> metric_;
  std::unique_ptr<SlowKernel> kernel_;
  std::unique_ptr<manifold::FlowMap> flow_;
};

class SlowSde final : public Dynamics {
 public:
  std::string kind(const discrete::AlgorithmType& type) const override { return std::string("slow_") + type.name(); }
  const char* description() const override { return "the slow SDE on Gamma (of qsr: the limit of long rounds)"; }
  const char* suffix() const override { return " (slow SDE)"; }
  bool on_gamma() const override { return true; }
  bool in_rounds() const override { return false; }
  bool takes_limit() const override { return true; }
  void read(Keys& keys, Method& m, double time) const override {
    read_refined(keys, m);
    read_drift_factors(keys, m);
    m.factors.diffusion = keys.non_negative({"diffusion", "factor of Sigma_par in a slow SDE (1: the theory)"}, 1);
    read_step(keys, m, time);
    read_integrator(keys, m);
    m.flow_retraction = keys.choice({"retraction", "Newton along the normal space, or the flow map"}, "newton",
                                    {"newton", "flow"}) == "flow";
  }
  void check(const Problem& p, const Method& m) const override {
    check_step(m);
    check_metric(p, m);
    if (m.flow_retraction && m.algorithm.type->metric(m.algorithm))
      throw InputError("method.retraction: the flow map is that of the plain metric: expected \"newton\" for '" +
                       m.name + "'");
  }
  double gradients(const Method&, std::int64_t) const override { return 0; }
  double work(const Method& m, double time) const override { return 20 * time / m.dt; }
  std::unique_ptr<Stepper> stepper(const Run& run) const override { return std::make_unique<SlowStepper>(run); }
  std::unique_ptr<DeviceTile> tile(const Problem& p, const Method& m, int device, long paths) const override {
    const auto model = p.model->device();
    const auto metric = m.algorithm.type->metric(m.algorithm);
    const auto seed = m.algorithm.seed;
    return metric ? model->metric_tile(device, paths, p.noise, metric->numbers(), seed, m.precision)
                  : model->slow_tile(device, paths, p.noise, seed, m.precision);
  }
  /// Of squared losses that interpolate, and of losses of few dimensions without residuals; with Newton's retraction.
  bool runs_on_device(const Problem& p, const Method& m) const override {
    const bool by_hessian = p.model->residual_count() == 0 && p.model->dim() <= slow::kHessianDimensions;
    return !m.flow_retraction && (p.interpolating || by_hessian);
  }
};

}  // namespace

const Dynamics& slow_sde() {
  static const SlowSde one;
  return one;
}

}  // namespace sde::ensemble
