// The discrete algorithm itself, and the conventional SDE, which is the same loop with other draws.
#include <algorithm>
#include <cmath>

#include "dynamics_keys.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/model/point_model.hpp"
#include "stepper.hpp"

namespace sde::ensemble {

namespace {

/// Steps that a kernel takes between two looks at the interruption flag.
constexpr std::int64_t kChunk = 1 << 16;

class RoundStepper final : public Stepper {
 public:
  explicit RoundStepper(const Run& run)
      : algorithm_(run.method.dynamics->algorithm(run.method)),
        model_(*run.problem.model),
        noise_(run.problem.noise),
        precision_(run.method.precision),
        timeline_(run.timeline),
        interrupted_(run.interrupted),
        dim_(run.problem.model->dim()),
        kernel_(run.problem.model->discrete_kernel(run.problem.noise, algorithm_, run.method.precision)) {}
  int size() const override { return kernel_->shape().size(); }
  void use_lanes(int count) override { kernel_->use_lanes(count); }
  unsigned advance(LaneState x, std::uint32_t path, std::size_t i, double* spread) override {
    const std::int64_t end = timeline_.steps[i + 1];
    for (std::int64_t k = timeline_.steps[i]; k < end;) {
      stop_if(interrupted_);
      const std::int64_t next = whole_rounds(k, end, kChunk);
      kernel_->advance(x, path, k, next, spread);
      k = next;
    }
    return 0;
  }
  long diverged_at(LaneState x, LaneState before, std::uint32_t path, std::size_t i, int lane) override {
    const std::int64_t end = timeline_.steps[i + 1];
    double spread[kLanes];
    for (std::int64_t k = timeline_.steps[i]; k < end;) {
      stop_if(interrupted_);
      const std::int64_t next = whole_rounds(k, end, 1);
      std::copy_n(x, size() * kLanes, before);
      kernel_->advance(x, path, k, next, spread);
      if (!in_domain(x + lane, dim_, kLanes)) return next - k > 1 ? left_at(x, before, path, k, next, lane) : next;
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
      k = round.synchronizes ? std::min(end, k + round.steps) : goal;
    }
    return k;
  }
  /// Within the round from step k to `end`, which lane `lane` leaves: the step at which its first worker does, each
  /// worker run again alone from `before`; x and `before` become that worker's iterates then and one step earlier. What
  /// a worker keeps beside its position is not seen here: such algorithms know the round.
  long left_at(LaneState x, LaneState before, std::uint32_t path, std::int64_t k, std::int64_t end, int lane) {
    if (size() != dim_ * (precision_ == Precision::single ? 2 : 1)) return end;
    const std::vector<double> start(before, before + size() * kLanes);
    std::vector<double> here;
    std::int64_t step = end + 1;
    const int workers = algorithm_.round(k).workers;
    auto one = algorithm_;
    one.workers = 1;
    one.batch = algorithm_.batch / workers;
    for (int w = 0; w < workers; ++w) {
      one.first_worker = w;
      const auto kernel = model_.discrete_kernel(noise_, one, precision_);
      const auto left = [&](std::int64_t at) {
        double spread[kLanes];
        here = start;
        if (at > k) kernel->advance(here.data(), path, k, at, spread);
        return !in_domain(here.data() + lane, dim_, kLanes);
      };
      std::int64_t in = k, out = std::min(end, step - 1);
      if (out == in || !left(out)) continue;
      while (out - in > 1) {
        const auto middle = in + (out - in) / 2;
        (left(middle) ? out : in) = middle;
      }
      step = out;
      left(in);
      std::copy(here.begin(), here.end(), before);
      left(out);
      std::copy(here.begin(), here.end(), x);
    }
    return std::min(step, end);
  }

  const discrete::Algorithm algorithm_;
  const LossModel& model_;
  const Noise& noise_;
  const Precision precision_;
  const Timeline& timeline_;
  const std::atomic<bool>* interrupted_;
  const int dim_;
  std::unique_ptr<DiscreteKernel> kernel_;
};

class DiscreteAlgorithm : public Dynamics {
 public:
  std::string kind(const discrete::AlgorithmType& type) const override { return type.name(); }
  const char* description() const override { return "the algorithm itself"; }
  const char* suffix() const override { return ""; }
  bool on_gamma() const override { return false; }
  bool in_rounds() const override { return true; }
  bool is_algorithm() const override { return true; }
  void read(Keys&, Method&, double) const override {}
  double gradients(const Method& m, std::int64_t steps) const override {
    return m.algorithm.type->gradients(m.algorithm, steps);
  }
  double work(const Method& m, double) const override { return gradients(m, m.algorithm.rate.steps); }
  void check(const Problem& p, const Method& m) const override {
    const int n = p.model->residual_count(), local_batch = m.algorithm.batch / m.algorithm.workers;
    if (p.noise.sampling == Sampling::without_replacement && n > 1 && n % local_batch != 0)
      refuse_batch(m, n, local_batch);
    if (const auto* points = p.model->at_points()) check_samples(p, *points);
  }
  std::unique_ptr<Stepper> stepper(const Run& run) const override { return std::make_unique<RoundStepper>(run); }
  std::unique_ptr<DeviceTile> tile(const Problem& p, const Method& m, int device, long paths) const override {
    return p.model->device()->discrete_tile(device, paths, p.noise, algorithm(m), m.precision);
  }
  bool runs_on_device(const Problem&, const Method&) const override { return true; }

 private:
  /// Orders of an epoch are of 16-bit numbers.
  static void check_samples(const Problem& p, const PointModel& points) {
    constexpr int kMost = 65'535;
    if (p.noise.sampling == Sampling::without_replacement && points.sample_count() > kMost)
      throw InputError("noise.sampling: reshuffled epochs are of at most " + std::to_string(kMost) + " samples, got " +
                       std::to_string(points.sample_count()) + ": expected with_replacement");
  }
  [[noreturn]] static void refuse_batch(const Method& m, int n, int local_batch) {
    throw InputError("noise: sampling without replacement needs a local batch that divides n = " + std::to_string(n) +
                     ", '" + m.name + "' has " + std::to_string(local_batch));
  }
};

class ConventionalSde final : public DiscreteAlgorithm {
 public:
  std::string kind(const discrete::AlgorithmType& type) const override {
    return type.has_conventional_sde() ? std::string("conventional_") + type.name() : "";
  }
  const char* description() const override { return "the conventional SDE, in time eta * steps"; }
  const char* suffix() const override { return " (conventional SDE)"; }
  bool is_algorithm() const override { return false; }
  void read(Keys& keys, Method& m, double) const override {
    m.substeps =
        static_cast<int>(keys.integer({"substeps", "Euler-Maruyama steps for each step of the algorithm"}, 4, 1, 1000));
    read_integrator(keys, m);
  }
  discrete::Algorithm algorithm(const Method& m) const override {
    auto a = m.algorithm;
    a.increments = {true, m.substeps, m.integrator == slow::Integrator::weak_euler};
    return a;
  }
  double gradients(const Method& m, std::int64_t steps) const override {
    return m.substeps * DiscreteAlgorithm::gradients(m, steps);
  }
  void check(const Problem& p, const Method& m) const override {
    if (p.model->at_points())
      throw InputError("'" + m.name +
                       "': a network has no conventional SDE here (its noise has the covariance of n gradients): "
                       "expected the algorithm itself");
    if (m.substeps < 1) throw InputError("method.substeps: expected at least 1, got " + std::to_string(m.substeps));
  }
};

}  // namespace

const Dynamics& discrete_algorithm() {
  static const DiscreteAlgorithm one;
  return one;
}
const Dynamics& conventional_sde() {
  static const ConventionalSde one;
  return one;
}

}  // namespace sde::ensemble
