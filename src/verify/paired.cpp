#include "sde/verify/paired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sde/ensemble/groups.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::verify {

TestFunction coordinate(int k) {
  return {fmt::format("x{}", k + 1), [k](const Vector& x, slow::PointTerms&) { return x[k]; },
          [k](const Vector& x) -> Vector { return Vector::Unit(x.size(), k); }};
}
TestFunction square(int k) {
  return {fmt::format("x{}^2", k + 1), [k](const Vector& x, slow::PointTerms&) { return x[k] * x[k]; },
          [k](const Vector& x) -> Vector { return 2 * x[k] * Vector::Unit(x.size(), k); }};
}
TestFunction product(int j, int k) {
  return {fmt::format("x{}*x{}", j + 1, k + 1), [j, k](const Vector& x, slow::PointTerms&) { return x[j] * x[k]; },
          [j, k](const Vector& x) -> Vector {
            return x[k] * Vector::Unit(x.size(), j) + x[j] * Vector::Unit(x.size(), k);
          }};
}
TestFunction bounded(int k) {
  return {fmt::format("tanh x{}", k + 1), [k](const Vector& x, slow::PointTerms&) { return std::tanh(x[k]); },
          [k](const Vector& x) -> Vector { return (1 - std::pow(std::tanh(x[k]), 2)) * Vector::Unit(x.size(), k); }};
}
TestFunction sharpness() {
  return {"tr Hess", [](const Vector&, slow::PointTerms& terms) { return terms.trace_hessian(); }, {}};
}

Prediction theory(const discrete::LocalSgd& a) {
  slow::Parameters p;
  p.batch = a.batch;
  p.workers = a.workers;
  p.alpha = a.rate.eta * static_cast<double>(a.steps_in_round());
  return {"slow SDE", p};
}
Prediction refined(const discrete::LocalSgd& a) {
  Prediction r = theory(a);
  r.name = "refined slow SDE";
  r.parameters.eta = a.rate.eta;
  r.parameters.H = static_cast<double>(a.steps_in_round());
  return r;
}

namespace {

using Table = PairedResult::Table;

void merge_moments(std::vector<Moments>& into, const std::vector<Moments>& from) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i].merge(from[i]);
}
void merge_table(Table& into, const Table& from) {
  for (std::size_t t = 0; t < into.size(); ++t) merge_moments(into[t], from[t]);
}
void merge_tables(std::vector<Table>& into, const std::vector<Table>& from) {
  for (std::size_t p = 0; p < into.size(); ++p) merge_table(into[p], from[p]);
}

/// Steps of the algorithm in a step of the SDE, and the times of comparison in whole double steps of it.
struct Grid {
  std::int64_t steps;               ///< of the algorithm, in one fine step of the SDE
  double dt;                        ///< length of a fine step
  std::vector<std::int64_t> pairs;  ///< double steps before each time of comparison
  std::int64_t burn_in;             ///< steps of the algorithm
  explicit Grid(const Pairing& p) {
    const auto& a = p.algorithm;
    const double eta2 = a.rate.eta * a.rate.eta;
    const std::int64_t H = a.steps_in_round();
    const double round = static_cast<double>(H) * eta2;
    steps = H * std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(p.dt / round + 1e-9)));
    dt = static_cast<double>(steps) * eta2;
    for (const double t : p.times)
      pairs.push_back(std::max<std::int64_t>(pairs.empty() ? 1 : pairs.back() + 1, std::llround(t / (2 * dt))));
    burn_in = H * std::llround(p.burn_in / round);
  }
};

/// One group of kLanes paths.
class PairedPaths {
 public:
  PairedPaths(const Problem& problem, const Pairing& pairing, const Grid& grid, PairedResult& result)
      : problem_(problem),
        pairing_(pairing),
        grid_(grid),
        result_(result),
        d_(problem.model->dim()),
        algorithm_(problem.model->recording_kernel(problem.noise, pairing.algorithm)),
        slow_(problem.interpolating ? problem.model->residual_slow_kernel(problem.noise)
                                    : slow::dense_slow_kernel(*problem.model, problem.noise)),
        flow_(*problem.model, manifold::kObservationFlow),
        terms_(problem.terms()),
        columns_(problem.noise.columns()) {
    const std::size_t state = static_cast<std::size_t>(d_ * kLanes);
    x_.resize(state);
    step_martingale_.resize(state);
    const std::size_t increments = static_cast<std::size_t>(columns_ * kLanes);
    noise_.resize(increments);
    both_.resize(increments);
    lost_by_.resize(pairing.predictions.size());
    fine_.assign(pairing.predictions.size(), std::vector<double>(state));
    coarse_ = fine_;
    martingale_.assign(pairing.predictions.size(), std::vector<double>(pairing.functions.size() * kLanes));
    for (const auto& g : pairing.functions) controlled_ = controlled_ || g.gradient;
  }

  void run(std::uint32_t path, int active) {
    active_ = active;
    lost_ = 0;
    std::fill(lost_by_.begin(), lost_by_.end(), 0u);
    for (int k = 0; k < d_; ++k)
      for (int l = 0; l < kLanes; ++l) x_[k * kLanes + l] = problem_.start[k];
    std::int64_t k = grid_.burn_in;
    if (k > 0) algorithm_->advance(x_.data(), path, 0, k, spread_, noise_.data());
    begin();
    std::int64_t pair = 0;
    for (std::size_t t = 0; t < grid_.pairs.size(); ++t) {
      for (; pair < grid_.pairs[t]; ++pair) {
        std::fill(both_.begin(), both_.end(), 0.0);
        for (int half = 0; half < 2; ++half, k += grid_.steps) {
          std::fill(noise_.begin(), noise_.end(), 0.0);
          algorithm_->advance(x_.data(), path, k, k + grid_.steps, spread_, noise_.data());
          for (std::size_t i = 0; i < noise_.size(); ++i) both_[i] += noise_[i];
          move(fine_, noise_, 1, true);
        }
        move(coarse_, both_, 2, false);
      }
      observe(t);
    }
    result_.paths += active;
    for (int l = 0; l < active; ++l) result_.lost += (lost_ | lost_by_[0]) >> l & 1;
  }

 private:
  Vector lane_of(const std::vector<double>& x, int l) const {
    Vector v(d_);
    for (int k = 0; k < d_; ++k) v[k] = x[k * kLanes + l];
    return v;
  }
  /// Phi of a lane of the algorithm; marks it lost where there is none.
  bool project(int l, Vector& point) {
    point = lane_of(x_, l);
    try {
      if (!point.allFinite() || point.norm() > 1e8) throw manifold::FlowError("diverged");
      flow_(point.data());
      return true;
    } catch (const manifold::FlowError&) {
      lost_ |= 1u << l;
      return false;
    }
  }

  void begin() {
    for (auto& m : martingale_) std::fill(m.begin(), m.end(), 0.0);
    start_.assign(kLanes, problem_.start_on_gamma);
    start_values_.assign(kLanes, {});
    for (int l = 0; l < kLanes; ++l) {
      if (grid_.burn_in > 0) project(l, start_[l]);
      for (auto* states : {&fine_, &coarse_})
        for (auto& s : *states)
          for (int k = 0; k < d_; ++k) s[k * kLanes + l] = start_[l][k];
      start_values_[l] = values(start_[l]);
    }
  }

  std::vector<double> values(const Vector& point) {
    terms_->compute(point.data());
    std::vector<double> v;
    for (const auto& g : pairing_.functions) v.push_back(g.value(point, *terms_));
    return v;
  }

  /// One step of every prediction, `length` fine steps long, driven by the algorithm's summed noise: its average over
  /// the workers enters with a minus sign (x <- x - eta g).
  void move(std::vector<std::vector<double>>& states, const std::vector<double>& sums, int length, bool fine) {
    const double norm = -1 / std::sqrt(static_cast<double>(length * grid_.steps) * pairing_.algorithm.workers);
    unit_ = sums;
    for (double& u : unit_) u *= norm;
    for (std::size_t p = 0; p < states.size(); ++p) {
      if (fine && controlled_) before_ = states[p];
      const auto& prediction = pairing_.predictions[p];
      lost_by_[p] |= slow_->step(states[p].data(), prediction.parameters, length * grid_.dt * prediction.time_scale,
                                 unit_.data(), step_martingale_.data());
      if (fine && controlled_) control(martingale_[p]);
      ++slow_steps_;
    }
  }
  /// Adds grad g(zeta) . P_par A dW of a prediction's fine path, at the beginning of its step.
  void control(std::vector<double>& martingale) {
    for (int l = 0; l < active_; ++l) {
      const Vector at = lane_of(before_, l), dM = lane_of(step_martingale_, l);
      for (std::size_t q = 0; q < pairing_.functions.size(); ++q)
        if (pairing_.functions[q].gradient) martingale[q * kLanes + l] += pairing_.functions[q].gradient(at).dot(dM);
    }
  }

  /// Of the algorithm, less the first prediction's martingale, whose noise is nearly its own.
  double increment(std::size_t q, int l, double value) const {
    return value - start_values_[l][q] - martingale_[0][q * kLanes + l];
  }

  void observe(std::size_t t) {
    Vector point;
    for (int l = 0; l < active_; ++l) {
      if (lost_ >> l & 1 || !project(l, point)) continue;
      result_.distance[t].add((lane_of(x_, l) - point).norm());
      const auto algorithm = values(point);
      for (std::size_t q = 0; q < algorithm.size(); ++q) {
        result_.algorithm[t][q].add(algorithm[q]);
        result_.increment[t][q].add(increment(q, l, algorithm[q]));
      }
      for (std::size_t p = 0; p < fine_.size(); ++p) {
        if (lost_by_[p] >> l & 1) continue;
        const auto fine = values(lane_of(fine_[p], l)), coarse = values(lane_of(coarse_[p], l));
        for (std::size_t q = 0; q < algorithm.size(); ++q) {
          const double extrapolated = 2 * fine[q] - coarse[q];
          result_.prediction[p][t][q].add(extrapolated);
          const double drift = extrapolated - start_values_[l][q] - martingale_[p][q * kLanes + l];
          result_.drift[p][t][q].add(drift);
          result_.gap[p][t][q].add(increment(q, l, algorithm[q]) - drift);
          result_.step_error[p][t][q].add(fine[q] - coarse[q]);
        }
      }
    }
    result_.slow_steps += static_cast<double>(slow_steps_ * active_);
    slow_steps_ = 0;
  }

  const Problem& problem_;
  const Pairing& pairing_;
  const Grid& grid_;
  PairedResult& result_;
  const int d_;
  std::unique_ptr<RecordingKernel> algorithm_;
  std::unique_ptr<SlowKernel> slow_;
  manifold::FlowMap flow_;
  std::unique_ptr<slow::PointTerms> terms_;
  const int columns_;
  bool controlled_ = false;
  int active_ = 0;
  unsigned lost_ = 0;              ///< lanes of the algorithm
  std::vector<unsigned> lost_by_;  ///< of each prediction
  long slow_steps_ = 0;
  double spread_[kLanes] = {};
  std::vector<double> x_, noise_, both_, unit_, before_, step_martingale_;
  std::vector<std::vector<double>> fine_, coarse_, martingale_;
  std::vector<Vector> start_;
  std::vector<std::vector<double>> start_values_;
};

PairedResult empty(const Pairing& p, const Grid& grid) {
  PairedResult r;
  const Table table(p.times.size(), std::vector<Moments>(p.functions.size()));
  for (const auto pairs : grid.pairs) r.slow_time.push_back(static_cast<double>(2 * pairs) * grid.dt);
  r.algorithm = r.increment = table;
  r.prediction = r.drift = r.gap = r.step_error = std::vector<Table>(p.predictions.size(), table);
  r.distance.resize(p.times.size());
  return r;
}

}  // namespace

void PairedResult::merge(const PairedResult& from) {
  merge_table(algorithm, from.algorithm);
  merge_table(increment, from.increment);
  merge_tables(prediction, from.prediction);
  merge_tables(drift, from.drift);
  merge_tables(gap, from.gap);
  merge_tables(step_error, from.step_error);
  merge_moments(distance, from.distance);
  paths += from.paths;
  lost += from.lost;
  gradients += from.gradients;
  slow_steps += from.slow_steps;
}

PairedResult run_paired(const Problem& problem, const Pairing& pairing, const ensemble::Control& control) {
  const Grid grid(pairing);
  PairedResult total = empty(pairing, grid);
  ensemble::over_groups<PairedResult>(
      control, 0, ensemble::blocks_of(pairing.paths), [&](long) { return empty(pairing, grid); },
      [&](long b) {
        PairedResult part = empty(pairing, grid);
        PairedPaths paths(problem, pairing, grid, part);
        const long last = std::min(pairing.paths, (b + 1) * ensemble::kBlockPaths);
        for (long first = b * ensemble::kBlockPaths; first < last; first += kLanes) {
          if (control.interrupted && *control.interrupted) throw ensemble::Interrupted();
          paths.run(static_cast<std::uint32_t>(first), static_cast<int>(std::min<long>(kLanes, last - first)));
        }
        return part;
      },
      [](PairedResult& group, long, const PairedResult& part) {
        group.merge(part);
        return true;
      },
      [&](long, const PairedResult& group) { total.merge(group); });
  total.gradients = static_cast<double>(pairing.paths) * pairing.algorithm.workers *
                    static_cast<double>(grid.burn_in + 2 * grid.pairs.back() * grid.steps);
  return total;
}

}  // namespace sde::verify
