// K slow SDEs, one for each worker, that are averaged after every round (theory.md section 5).
#include <algorithm>
#include <cmath>

#include "dynamics_keys.hpp"
#include "sde/discrete/disagreement.hpp"
#include "sde/discrete/local_sgd.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

namespace {

/// K slow SDEs with batch B_loc for slow time H eta^2, then the average and Phi (theory.md section 5).
class CoupledStepper final : public Stepper {
 public:
  explicit CoupledStepper(const Run& run)
      : method_(run.method),
        timeline_(run.timeline),
        interrupted_(run.interrupted),
        flow_(*run.problem.model, {}, run.problem.minimum()),
        dim_(run.problem.model->dim()),
        kernel_(slow::slow_kernel(*run.problem.model, run.problem.noise, run.problem.interpolating,
                                  run.method.precision)) {}
  int size() const override { return dim_; }
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    unsigned lost = 0;
    for (std::int64_t k = timeline_.steps[i]; k < timeline_.steps[i + 1];) {
      stop_if(interrupted_);
      const std::int64_t H = method_.algorithm.round_length(k);
      lost |= round(x, path, steps_of_round(k, H), spread);
      k += H;
    }
    return lost;
  }
  long step_after(std::size_t i) const override { return timeline_.steps[i + 1]; }

 private:
  /// A worker's slow SDE over the slow time of a round.
  slow::Steps steps_of_round(std::int64_t k, std::int64_t H) const {
    const auto& a = method_.algorithm;
    const double width = a.slow_time(a.rate(k)) * static_cast<double>(H);
    slow::Steps steps;
    steps.count = std::max<std::int64_t>(1, std::llround(std::ceil(width / method_.dt - 1e-9)));
    steps.dt = width / static_cast<double>(steps.count);
    steps.integrator = method_.integrator;
    steps.parameters.batch = static_cast<double>(a.batch) / a.workers;
    steps.first_step = k * steps.count;  // disjoint from every other round's draws
    return steps;
  }

  unsigned round(LaneState x, std::uint32_t path, const slow::Steps& steps, double* spread) {
    const auto& a = method_.algorithm;
    const std::vector<double> start(x, x + dim_ * kLanes);
    std::vector<double> worker, sum(start.size(), 0.0), squares(kLanes, 0.0);
    unsigned lost = 0;
    for (int w = 0; w < a.workers; ++w) {
      worker = start;
      lost |= kernel_->advance(worker.data(), {a.seed, path, static_cast<std::uint32_t>(w)}, steps);
      for (std::size_t e = 0; e < sum.size(); ++e) {
        const double u = worker[e] - start[e];
        sum[e] += u;
        squares[e % kLanes] += u * u;
      }
    }
    const double inverse = 1.0 / a.workers;
    Vector p(dim_);
    for (int l = 0; l < kLanes; ++l) {
      double mean_square = 0;
      for (int c = 0; c < dim_; ++c) {
        const double mean = sum[c * kLanes + l] * inverse;
        mean_square += mean * mean;
        p[c] = start[c * kLanes + l] + mean;
      }
      spread[l] = discrete::disagreement(squares[l], mean_square, inverse);
      try {
        flow_(p.data());
      } catch (const manifold::FlowError&) {
        lost |= 1u << l;
      }
      for (int c = 0; c < dim_; ++c) x[c * kLanes + l] = p[c];
    }
    return lost;
  }

  const Method& method_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  manifold::FlowMap flow_;
  const int dim_;
  std::unique_ptr<SlowKernel> kernel_;
};

class CoupledSlowSdes final : public Dynamics {
 public:
  std::string kind(const discrete::AlgorithmType& type) const override {
    return std::string(type.name()) == discrete::LocalSgd::kName ? "coupled_slow" : "";
  }
  const char* description() const override { return "K slow SDEs of batch B/K, averaged and projected every H eta^2"; }
  const char* suffix() const override { return " (coupled slow SDEs)"; }
  bool on_gamma() const override { return true; }
  bool in_rounds() const override { return true; }
  void read(Keys& keys, Method& m, double time) const override {
    read_step(keys, m, time);
    read_integrator(keys, m);
  }
  void check(const Problem&, const Method& m) const override { check_step(m); }
  double gradients(const Method& m, std::int64_t steps) const override {
    return m.algorithm.type->gradients(m.algorithm, steps);
  }
  double work(const Method& m, double time) const override { return 20 * m.algorithm.workers * time / m.dt; }
  std::unique_ptr<Stepper> stepper(const Run& run) const override { return std::make_unique<CoupledStepper>(run); }
};

}  // namespace

const Dynamics& coupled_slow_sdes() {
  static const CoupledSlowSdes one;
  return one;
}

}  // namespace sde::ensemble
