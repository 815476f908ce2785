#include "sde/verify/multilevel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sde/ensemble/groups.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"

namespace sde::verify {

namespace {

using State = std::vector<double>;

/// g at a lane of a group of paths.
class Evaluation {
 public:
  Evaluation(const Problem& problem, const TestFunction& g)
      : g_(g),
        flow_(*problem.model, manifold::kObservationFlow, problem.minimum()),
        terms_(problem.terms()),
        point_(problem.model->dim()) {}
  double operator()(const State& x, int l, bool project) {
    for (Eigen::Index k = 0; k < point_.size(); ++k) point_[k] = x[static_cast<std::size_t>(k * kLanes + l)];
    if (project) flow_(point_.data());
    if (!g_.smooth()) terms_->compute(point_.data());
    return g_(point_, *terms_);
  }

 private:
  const TestFunction& g_;
  manifold::FlowMap flow_;
  std::unique_ptr<slow::PointTerms> terms_;
  Vector point_;
};

State spread_over_lanes(const Vector& x) {
  State s(static_cast<std::size_t>(x.size() * kLanes));
  for (Eigen::Index k = 0; k < x.size(); ++k) std::fill_n(s.begin() + k * kLanes, kLanes, x[k]);
  return s;
}

/// Each level has random numbers of its own.
std::uint64_t seed_of(std::uint64_t seed, std::size_t level) {
  return seed ^ (static_cast<std::uint64_t>(level + 1) << 48);
}

/// Calls move(path, fine, coarse) for groups of lanes, then records g at their ends.
template <class MakeMove>
LevelMoments sample_level(const Problem& problem, const TestFunction& g, std::size_t level, long first, long count,
                          const Vector& start, bool project, const ensemble::Control& control, MakeMove make_move) {
  LevelMoments total;
  ensemble::over_groups<LevelMoments>(
      control, 0, ensemble::blocks_of(count), [](long) { return LevelMoments(); },
      [&](long b) {
        LevelMoments part;
        auto move = make_move();
        Evaluation evaluate(problem, g);
        const long end = first + std::min(count, (b + 1) * ensemble::kBlockPaths);
        for (long path = first + b * ensemble::kBlockPaths; path < end; path += kLanes) {
          if (control.interrupted && *control.interrupted) throw ensemble::Interrupted();
          State fine = spread_over_lanes(start), coarse = fine;
          move(static_cast<std::uint32_t>(path), fine, coarse);
          for (int l = 0; l < std::min<long>(kLanes, end - path); ++l) {
            const double value = evaluate(fine, l, project);
            part.fine.add(value);
            part.difference.add(level == 0 ? value : value - evaluate(coarse, l, project));
          }
        }
        return part;
      },
      [](LevelMoments& group, long, const LevelMoments& part) {
        group.merge(part);
        return true;
      },
      [&](long, const LevelMoments& group) { total.merge(group); });
  return total;
}

}  // namespace

Hierarchy levels_in_eta(const Problem& problem, const discrete::Algorithm& finest, const TestFunction& g, double time,
                        std::size_t levels, const ensemble::Control& control) {
  ensemble::check(problem);
  discrete::check(finest);
  const auto& noise = problem.noise;
  if ((noise.sigma2 > 0 && noise.label_law == Law::two_point) ||
      (noise.sampling != Sampling::full && problem.model->residual_count() > 1))
    throw std::invalid_argument(
        "levels in eta need Gaussian draws on all residuals: set sampling full, labels gaussian");
  const std::int64_t H = finest.steps_in_round(), factor = std::int64_t{1} << (levels - 1);
  const std::int64_t coarsest_round = std::max<std::int64_t>(H, factor) * factor;  // in steps of the finest level
  if (finest.workers > 1 && H % factor != 0)
    throw std::invalid_argument(
        fmt::format("H = {}: expected a multiple of 2^{} for {} levels", H, levels - 1, levels));
  const double eta2 = finest.slow_time(finest.rate.eta);
  // A round of the coarsest level is 2^L rounds of the finest: steps in whole ones.
  const auto rounds = std::max<std::int64_t>(1, std::llround(time / (eta2 * static_cast<double>(coarsest_round))));
  const std::int64_t steps = rounds * coarsest_round;
  const auto at = [=](std::size_t coarser, int coarsening) {
    auto a = finest;
    a.rate.eta *= static_cast<double>(std::int64_t{1} << coarser);
    a.sync.H = std::max<std::int64_t>(1, H >> coarser);
    a.increments.coarsening = coarsening;
    return a;
  };
  Hierarchy h;
  for (std::size_t l = 0; l < levels; ++l) {
    const auto own = static_cast<double>(steps >> (2 * (levels - 1 - l)));
    h.cost.push_back(finest.workers * own * (l == 0 ? 1 : 1.25));
  }
  h.plain_cost = finest.workers * static_cast<double>(steps);
  h.sample = [=, &problem](std::size_t level, long first, long count) {
    const std::size_t coarser = levels - 1 - level;
    auto fine = at(coarser, 1), coarse = at(coarser + 1, 4);
    fine.seed = coarse.seed = seed_of(finest.seed, level);
    const std::int64_t own = steps >> (2 * coarser);
    return sample_level(problem, g, level, first, count, problem.start, true, control, [&] {
      const auto recorded = innovations_on_gamma(problem.noise);
      return [own, level, fine_kernel = problem.model->recording_kernel(problem.noise, fine, recorded),
              coarse_kernel = problem.model->recording_kernel(problem.noise, coarse, recorded),
              sums = State(static_cast<std::size_t>(recorded.count() * kLanes))](std::uint32_t path, State& x,
                                                                                 State& y) mutable {
        double spread[kLanes];
        fine_kernel->advance(x.data(), path, 0, own, spread, sums.data());
        if (level > 0) coarse_kernel->advance(y.data(), path, 0, own / 4, spread, sums.data());
      };
    });
  };
  return h;
}

Hierarchy levels_in_dt(const Problem& problem, const slow::Parameters& parameters, const TestFunction& g, double time,
                       long coarsest_steps, std::size_t levels, std::uint64_t seed, const ensemble::Control& control) {
  ensemble::check(problem);
  Hierarchy h;
  for (std::size_t l = 0; l < levels; ++l)
    h.cost.push_back(static_cast<double>(coarsest_steps << l) * (l == 0 ? 1 : 1.5));
  h.plain_cost = static_cast<double>(coarsest_steps << (levels - 1));
  h.sample = [=, &problem](std::size_t level, long first, long count) {
    const long steps = coarsest_steps << level;
    const double dt = time / static_cast<double>(steps);
    return sample_level(problem, g, level, first, count, problem.start_on_gamma, false, control, [&] {
      auto slow = slow::slow_kernel(*problem.model, problem.noise, problem.interpolating);
      const int columns = slow->innovations().count();
      return [=, kernel = std::move(slow), martingale = State(static_cast<std::size_t>(problem.model->dim() * kLanes)),
              own = State(static_cast<std::size_t>(columns * kLanes)),
              both = State(static_cast<std::size_t>(columns * kLanes))](std::uint32_t path, State& x,
                                                                        State& y) mutable {
        random::NormalStream<Pack<double, kLanes>> normals({seed_of(seed, level), path, 0}, random::Purpose::slow, 0);
        unsigned lost = 0;
        for (long s = 0; s < steps; ++s) {
          for (int c = 0; c < columns; ++c) normals.next().store(&own[static_cast<std::size_t>(c * kLanes)]);
          lost |= kernel->step(x.data(), parameters, dt, own.data(), martingale.data());
          if (level == 0) continue;
          for (std::size_t i = 0; i < own.size(); ++i) both[i] = s % 2 ? (both[i] + own[i]) / std::sqrt(2.0) : own[i];
          if (s % 2) lost |= kernel->step(y.data(), parameters, 2 * dt, both.data(), martingale.data());
        }
        if (lost)
          throw std::runtime_error(fmt::format("multilevel: a retraction failed at dt = {}: take more steps", dt));
      };
    });
  };
  return h;
}

Multilevel multilevel(const Hierarchy& h, double standard_error, long pilot) {
  Multilevel m;
  double root_sum = 0;
  const auto variance = [&](std::size_t l) { return m.levels[l].difference.variance(); };
  for (std::size_t l = 0; l < h.cost.size(); ++l) {
    m.levels.push_back(h.sample(l, 0, pilot));
    root_sum += std::sqrt(variance(l) * h.cost[l]);
  }
  double error2 = 0;
  for (std::size_t l = 0; l < h.cost.size(); ++l) {
    const double wanted = std::sqrt(variance(l) / h.cost[l]) * root_sum / (standard_error * standard_error);
    const long more = static_cast<long>(std::ceil(wanted)) - pilot;
    if (more > 0) m.levels[l].merge(h.sample(l, pilot, more));
    m.mean += m.levels[l].difference.mean;
    error2 += variance(l) / m.levels[l].difference.n;
    m.cost += h.cost[l] * m.levels[l].difference.n;
  }
  m.standard_error = std::sqrt(error2);
  m.plain_cost = h.plain_cost * m.levels.back().fine.variance() / error2;
  return m;
}

}  // namespace sde::verify
