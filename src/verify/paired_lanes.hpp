// A pairing's paths on the CPU, kLanes at a time.
#pragma once

#include <algorithm>
#include <cmath>

#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/moving_geometry.hpp"
#include "sde/model/paired_steps.hpp"
#include "sde/slow/moving_metric.hpp"
#include "sde/verify/paired.hpp"

namespace sde::verify {

/// kLanes paths on the CPU.
class PairedLanes final : public PairedTile {
 public:
  PairedLanes(const Problem& problem, const PairedSetup& setup, const std::vector<Prediction>& predictions)
      : setup_(setup),
        stepping_(setup, setup.predictions.data(), setup.functions.data()),
        d_(problem.model->dim()),
        metric_(setup.algorithm.type->metric(setup.algorithm)),
        slow_(slow_kernels(problem, predictions)),
        algorithm_(problem.model->recording_kernel(problem.noise, setup.algorithm, slow_.front()->innovations())),
        kept_(setup.algorithm.type->slow_variable(setup.algorithm, 0)),
        flow_(*problem.model, manifold::kObservationFlow, problem.minimum()),
        one_(static_cast<std::size_t>(slow_.front()->innovations().count() * kLanes)),
        both_(one_),
        unit_(one_),
        before_(static_cast<std::size_t>(d_ * kLanes)),
        step_martingale_(before_),
        point_(d_),
        along_(d_) {}

  long capacity() const override { return kLanes; }

  void start(std::uint32_t first, long count, const double* theta, std::int64_t burn_in) override {
    first_ = first;
    active_ = static_cast<int>(count);
    for (auto& kernel : slow_) kernel->use_lanes(active_);
    const std::size_t predictions = setup_.predictions.size(), state = before_.size();
    s_.count = kLanes;
    // The position first, then what the algorithm keeps beside it, at rest.
    s_.x.assign(static_cast<std::size_t>(algorithm_->shape().size() * kLanes), 0.0);
    s_.point.resize(state);
    s_.fine.resize(predictions * slow_state());
    s_.coarse.resize(predictions * slow_state());
    s_.martingale.assign(predictions * setup_.functions.size() * kLanes, 0.0);
    s_.lost.assign(kLanes, 0);
    s_.lost_by.assign(predictions * kLanes, 0);
    for (std::size_t i = 0; i < state; ++i) s_.x[i] = theta[i / kLanes];
    if (burn_in > 0) algorithm_->advance(s_.x.data(), first_, 0, burn_in, spread_, one_.data());
    done_ = burn_in;
  }

  void begin(const double* on_gamma) override {
    if (on_gamma)
      for (std::size_t i = 0; i < s_.point.size(); ++i) s_.point[i] = on_gamma[i / kLanes];
    const std::size_t rows = slow_state(), position = s_.point.size();
    // After the position comes v - v(0): an adaptive method keeps it in the same place.
    for (auto* states : {&s_.fine, &s_.coarse})
      for (std::size_t i = 0; i < states->size(); ++i)
        (*states)[i] = i % rows < position ? s_.point[i % rows] : s_.x[i % rows];
  }

  void advance(std::int64_t k, std::int64_t pairs) override {
    advance_pairs(*this, stepping_, k, pairs, one_.data(), both_.data(), unit_.data());
    done_ = k + 2 * pairs * setup_.steps;
  }

  /// The coarse step's increment is that of both fine ones, weighted by their lengths: their rates may differ.
  void advance_changing(const PairedStep& s) override {
    const auto half = [&](std::int64_t from, std::int64_t to, double width, int workers, const auto& predictions) {
      draw(from, to, one_.data());
      const double norm = -1 / std::sqrt(static_cast<double>(to - from) * workers);
      move_predictions(*this, PairedStepping(width, norm, predictions.data(), stepping_), one_.data(), 1, true,
                       unit_.data());
      for (std::size_t c = 0; c < one_.size(); ++c) both_[c] += std::sqrt(width) * norm * one_[c];
    };
    std::fill(both_.begin(), both_.end(), 0.0);
    half(s.from, s.middle, s.first, s.first_workers, s.at_from);
    half(s.middle, s.to, s.second, s.second_workers, s.at_middle);
    const double width = s.first + s.second;
    move_predictions(*this, PairedStepping(width, 1 / std::sqrt(width), s.at_from.data(), stepping_), both_.data(), 1,
                     false, unit_.data());
    done_ = s.to;
  }

  /// In the place of the position comes the slow variable, of which s_.point is Phi.
  void read(PairedState& state) override {
    state = s_;
    if (kept_.empty()) return;
    for (int l = 0; l < active_; ++l) {
      if (s_.lost[l]) continue;
      to_slow_variable(l);
      for (int k = 0; k < d_; ++k) state.x[k * kLanes + l] = point_[k];
    }
  }

  void project() override {
    if (!setup_.algorithm.steady()) kept_ = setup_.algorithm.type->slow_variable(setup_.algorithm, done_);
    for (int l = 0; l < active_; ++l) {
      if (s_.lost[l]) continue;
      try {
        to_slow_variable(l);
        if (!point_.allFinite() || point_.cwiseAbs().maxCoeff() >= kDiverged) throw manifold::FlowError("diverged");
        if (metric_) flow_.set_metric(root_);
        flow_(point_.data());
        for (int k = 0; k < d_; ++k) s_.point[k * kLanes + l] = point_[k];
      } catch (const manifold::FlowError&) {
        s_.lost[l] = 1;
      }
    }
  }

  // What advance_pairs() asks for.
  static constexpr int Dim = kDynamic;
  int size() const { return static_cast<int>(one_.size()); }
  void draw(std::int64_t k, double* one) { draw(k, k + setup_.steps, one); }
  void draw(std::int64_t from, std::int64_t to, double* one) {
    std::fill_n(one, one_.size(), 0.0);
    algorithm_->advance(s_.x.data(), first_, from, to, spread_, one);
  }
  template <class Control>
  void step(int p, bool fine, const slow::Parameters& parameters, double width, const double* unit, bool controlled,
            Control control) {
    double* const x = &(fine ? s_.fine : s_.coarse)[static_cast<std::size_t>(p) * slow_state()];
    if (controlled) std::copy_n(x, before_.size(), before_.begin());
    const unsigned lost = slow_of(p).step(x, parameters, width, unit, step_martingale_.data());
    for (int l = 0; l < kLanes; ++l) s_.lost_by[static_cast<std::size_t>(p * kLanes + l)] |= lost >> l & 1;
    if (!controlled) return;
    for (int l = 0; l < active_; ++l) {
      for (int k = 0; k < d_; ++k) {
        point_[k] = before_[k * kLanes + l];
        along_[k] = step_martingale_[k * kLanes + l];
      }
      control(point_.data(), along_.data(), s_.martingale.data() + l, long{kLanes});
    }
  }

 private:
  using Kernels = std::vector<std::unique_ptr<SlowKernel>>;
  /// One for all, or in a metric one for each prediction.
  static Kernels slow_kernels(const Problem& problem, const std::vector<Prediction>& predictions) {
    Kernels all;
    for (const auto& p : predictions)
      if (p.metric)
        all.push_back(slow::metric_slow_kernel(*problem.model, problem.noise, *p.metric, problem.interpolating));
    if (all.empty()) all.push_back(slow::slow_kernel(*problem.model, problem.noise, problem.interpolating));
    return all;
  }
  SlowKernel& slow_of(int prediction) { return *slow_[slow_.size() == 1 ? 0 : static_cast<std::size_t>(prediction)]; }
  /// point_ = the slow variable of a lane (AlgorithmType::slow_variable), root_ = S^(1/2) of its metric.
  void to_slow_variable(int l) {
    if (metric_) {
      for (int k = 0; k < d_; ++k) along_[k] = metric_->start[k] + s_.x[(d_ + k) * kLanes + l];
      root_ = metric_->root(along_);
    }
    for (int k = 0; k < d_; ++k) {
      double lag = 0;
      for (std::size_t i = 0; i < kept_.size(); ++i)
        lag += kept_[i] * s_.x[(i + 1) * before_.size() + static_cast<std::size_t>(k * kLanes + l)];
      point_[k] = s_.x[k * kLanes + l] + (metric_ ? root_[k] * root_[k] * lag : lag);
    }
  }
  /// Numbers in the state of one prediction.
  std::size_t slow_state() const { return before_.size() * (metric_ ? 2 : 1); }

  const PairedSetup& setup_;
  const PairedStepping stepping_;
  const int d_;
  const std::optional<slow::MovingMetric> metric_;
  Kernels slow_;
  std::unique_ptr<RecordingKernel> algorithm_;
  std::vector<double> kept_;  ///< weights of what a path keeps beside its position in its slow variable
  manifold::FlowMap flow_;
  std::uint32_t first_ = 0;
  int active_ = 0;
  std::int64_t done_ = 0;  ///< steps of the algorithm
  double spread_[kLanes] = {};
  PairedState s_;
  std::vector<double> one_, both_, unit_, before_, step_martingale_;
  Vector point_, along_, root_;
};

}  // namespace sde::verify
