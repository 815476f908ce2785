#include "own_designs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sde::claims {

namespace {

/// Of the margins that a file does not give.
constexpr double kMargin = 0.05, kWeakMargin = 0.03, kOrderMargin = 0.1;

class Designer {
 public:
  Designer(Case& c, const Own& own, const Pilot& pilot, std::size_t slow, std::size_t sharpness, double time,
           const experiment::VerifySettings& margins)
      : case_(c),
        d_(c.designs),
        own_(own),
        pilot_(pilot),
        slow_(pilot.signals[slow]),
        sharpness_(pilot.signals[sharpness]),
        time_(time),
        margins_(margins) {}

  void all() {
    drift();
    diffusion();
    ladder();
    weak_error();
    distance();
    limits();
    label_noise();
    time_scales();
    linear_scaling();
    controls();
    terms();
  }

 private:
  bool sgd() const { return own_.workers == 1; }
  bool drifts() const { return std::abs(slow_.change) > 1e-7 * slow_.spread && slow_.change != 0; }
  void leave(int claim, const std::string& why) { case_.not_applicable[claim] = why; }
  double work(double eta, double time, double dt, int predictions) const {
    return work_of_path(case_.problem, eta, own_.workers, time, dt, predictions);
  }
  long paths(double scale, double margin, double path) const { return paths_for(slow_.noise, scale, margin, path); }
  /// The longest slow time up to that of the experiment, in whole rounds, over which `least` paths can be run.
  double affordable(double eta, int predictions, long least) const {
    const double most = kWork / static_cast<double>(least) / work(eta, 1, 1, predictions);
    return std::max(std::min(time_, most), 4 * own_.round());
  }

  void drift() {
    auto& x = d_.drift;
    x.margin = margins_.margin("drift", kMargin);
    if (!drifts()) return leave(2, "the slow SDE has no drift here");
    if (!sgd() && !case_.additional_drift)
      return leave(2, "there is no drift-II on this problem, which claim 13 tests");
    x.workers = {own_.workers};
    x.alpha = {own_.alpha()};
    x.control_alpha = own_.alpha();
    x.eta = {own_.eta};
    x.time = pilot_.time;
    x.dt = pilot_.dt;
    x.batch = own_.batch;
    const double path = work(own_.eta, x.time, x.dt, 4);
    const long n = paths(sgd() ? slow_.change : slow_.limit, x.margin, path);
    x.paths = sgd() ? (n + 1) / 2 : n * (own_.workers - 1);
  }

  void diffusion() {
    auto& x = d_.diffusion;
    x.margin = margins_.margin("diffusion", kMargin);
    if (!case_.diffuses) return leave(3, "this noise has no tangent block, Sigma_par = 0: the slow SDE is an ODE");
    x.directions = 3;
    x.batch = own_.batch;
    x.time = pilot_.time;
    x.dt = pilot_.dt;
    const double most = kWork / work(own_.eta, x.time, x.dt, 2), wanted = 1024 * std::pow(kMargin / x.margin, 2);
    x.cells = {{own_.workers,
                {own_.alpha()},
                {own_.eta},
                static_cast<long>(std::clamp(wanted, 64.0, std::max(64.0, most))),
                true}};
  }

  /// Rates around the file's: larger ones as far as they are stable and leave whole rounds, smaller ones below.
  void ladder() {
    constexpr std::size_t kRates = 4;
    long up = 4;
    while (up > 1 && (static_cast<double>(up) * own_.eta * pilot_.lambda_max > 0.4 || (!sgd() && own_.H % up != 0) ||
                      16 * static_cast<double>(up) * own_.round() > time_))
      up /= 2;
    rates_.clear();
    for (std::size_t i = 0; i < kRates; ++i)
      rates_.push_back(own_.eta * static_cast<double>(up) / static_cast<double>(1 << i));
    place_ = static_cast<std::size_t>(up == 4 ? 2 : up - 1);
  }

  void weak_error() {
    auto& x = d_.weak_error;
    x.margin = margins_.margin("weak_error", kWeakMargin);
    x.eta = rates_;
    x.own = place_;
    x.whole = false;
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.alpha = own_.alpha();
    const double time = affordable(rates_.back(), 3, 128);
    x.times = {0.25 * time, 0.5 * time, 0.75 * time, time};
    x.dt = time / 200;
    x.paths = static_cast<long>(std::clamp(kWork / work(rates_.back(), time, x.dt, 3), 64.0, 2048.0));
  }

  void distance() {
    auto& x = d_.distance;
    x.margin = margins_.margin("distance", kOrderMargin);
    x.eta = rates_;
    x.eta.push_back(rates_.back() / 2);  // over a short time: cheap
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.alpha = own_.alpha();
    x.time = 0.25 * pilot_.time;
    x.dt = pilot_.dt;
    const double settling = 8 * x.eta.back() / pilot_.lambda_min;
    x.paths = static_cast<long>(std::clamp(kWork / work(x.eta.back(), x.time + settling, x.dt, 1), 64.0, 1024.0));
  }

  void limits() {
    auto& x = d_.limits;
    x.margin = x.short_margin = margins_.margin("limits", kMargin);
    if (sgd()) return leave(6, "SGD has no rounds: the limits are Local SGD's");
    if (!case_.additional_drift) return leave(6, "there is no drift-II on this problem: both limits are SGD");
    if (!drifts()) return leave(6, "the slow SDE has no drift here");
    x.batch = own_.batch;
    x.short_workers = x.workers = own_.workers;
    x.short_eta = x.most_eta = own_.eta;
    x.short_time = x.time = pilot_.time;
    x.dt = pilot_.dt;
    const double first_drift = slow_.change - slow_.drift_2;  // that of SGD
    x.short_paths = paths(first_drift, x.margin, work(own_.eta, x.time, x.dt, 1));
    x.alpha_lambda = 40 * kMargin / x.margin;
    x.round = x.time / 5;
    const double alpha = x.alpha(pilot_.lambda_min, 1), eta = x.eta(alpha), path = work(eta, x.time, x.dt, 2);
    x.paths = paths(first_drift + slow_.limit, x.margin, path);
    if (64 * path <= 4 * kWork) return;
    x.paths = 0;
    x.why_no_long_rounds =
        fmt::format("alpha lambda = {:.3g} needs eta = {:.2g} here, and 64 paths {:.1g} gradient evaluations",
                    x.alpha_lambda, eta, 64 * path);
  }

  void label_noise() {
    auto& x = d_.label_noise;
    x.margin = margins_.margin("label_noise", kMargin);
    const auto& p = case_.problem;
    if (p.noise.sigma2 == 0 || p.noise.columns() > 0 || !p.interpolating)
      return leave(7, "the claim is about squared losses under label noise alone");
    if (!case_.sharpness_changes) return leave(7, "tr Hess hardly changes from this start");
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.eta = own_.eta;
    x.sgd = sgd();
    x.fall_alpha.clear();
    if (!sgd()) x.fall_alpha = {own_.alpha()};
    x.alpha = {own_.alpha()};
    x.time = affordable(own_.eta, 2, 64);
    x.short_time = pilot_.time;
    x.dt = pilot_.dt;
    x.paths = 64;
    const double path = work(own_.eta, x.short_time, x.dt, 2);
    // One side alone, without common noise.
    x.short_paths = paths_for(sharpness_.spread, sharpness_.change, x.margin, path);
    x.sgd_short_paths = 2 * paths_for(sharpness_.spread, sharpness_.change - sharpness_.drift_2, x.margin, path);
  }

  void time_scales() {
    auto& x = d_.time_scales;
    x.margin = margins_.margin("time_scales", kMargin);
    if (sgd()) return leave(8, "it is about Local SGD beside SGD");
    if (!case_.additional_drift) return leave(8, "there is no drift-II on this problem: they do not separate");
    if (own_.alpha() > 1)
      return leave(8, fmt::format("a round (alpha = {:.3g}) is longer than 1/eta steps", own_.alpha()));
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.alpha = own_.alpha();
    x.eta = own_.eta;
    x.time = std::min(1.0, affordable(own_.eta, 2, 256));
    x.dt = std::min(pilot_.dt, x.time / 40);
    x.larger_eta.clear();
    for (std::size_t i = place_; i > 0; --i) x.larger_eta.push_back(rates_[i - 1]);
    // What separates them grows with time, and its noise no faster; after 2/eta steps each side has its own.
    x.paths = paths_for(slow_.single, slow_.drift_2 * x.time / pilot_.time, x.margin, work(own_.eta, x.time, x.dt, 2));
  }

  void linear_scaling() {
    auto& x = d_.linear_scaling;
    x.margin = margins_.margin("linear_scaling", kMargin);
    const auto& noise = case_.problem.noise;
    const int n = case_.problem.model->residual_count(), local = 2 * own_.batch / own_.workers;
    if (!drifts()) return leave(9, "the slow SDE has no drift here");
    if (n > 1 && noise.sampling == Sampling::without_replacement)
      return leave(9,
                   fmt::format("batches of {} would be another noise: samples are drawn without replacement", local));
    x.sgd = sgd();
    x.local = !sgd();
    x.sgd_eta = x.eta = own_.eta / 2;
    x.sgd_batch = x.batch = own_.batch;
    x.workers = own_.workers;
    x.H = 2 * own_.H;
    // Whole rounds for the longest of the runs: 2 H steps at the file's rate.
    const double round = (sgd() ? 1 : 2) * own_.round();
    const double dt = round * std::max(1.0, std::floor(pilot_.dt / round));
    const double pairs = std::max(1.0, std::round(pilot_.time / (2 * dt)));
    x.dt_over_batch = dt / (2 * own_.batch);
    x.time_over_batch = 2 * dt * pairs / (2 * own_.batch);
    x.paths = paths_for(slow_.single, slow_.change, x.margin, work(x.eta, pilot_.time, dt, 1));  // controls: one side
  }

  void controls() {
    auto& x = d_.controls;
    x.margin = margins_.margin("controls", kMargin);
    x.deviation_margin = margins_.margin("controls", 0.4 * kMargin);
    if (sgd()) return leave(13, "SGD has no drift-II to drop: claims 2 to 5 have its controls");
    if (!case_.additional_drift && !case_.diffuses) return leave(13, "there is no drift-II and no diffusion here");
    if (case_.additional_drift && !drifts()) return leave(13, "the slow SDE has no drift here");
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.alpha = own_.alpha();
    x.eta = own_.eta;
    x.time = pilot_.time;
    x.dt = pilot_.dt;
    const double path = work(own_.eta, x.time, x.dt, 5);
    if (!case_.additional_drift) {
      x.paths = static_cast<long>(std::clamp(kWork / path, 64.0, 1024.0));
      return;
    }
    x.paths = paths(slow_.change, x.margin, path);
    // tr Hess takes part where it does not need many times the paths.
    const long asked = paths_for(sharpness_.noise, sharpness_.change, x.margin, path);
    if (case_.sharpness_changes && asked < 100'000) x.paths = std::max(x.paths, std::min(asked, 4 * x.paths));
  }

  void terms() {
    auto& x = d_.terms;
    x.margin = margins_.margin("drift", kMargin);
    x.eta = own_.eta;
    x.workers = own_.workers;
    x.batch = own_.batch;
    x.time = pilot_.time;
    x.dt = std::min(pilot_.dt, x.time / (2 * x.intervals));
    x.H = {own_.H};
    if (own_.H > 1) x.H.push_back(1);
    constexpr long kLonger = 4, kRounds = 8;
    if (!sgd() && kLonger * kRounds * own_.round() <= x.time) x.H.push_back(kLonger * own_.H);
    const double path = work(own_.eta, x.time, x.dt, 1);
    x.paths = static_cast<long>(std::clamp(kWork / path, 512.0, 16384.0));
  }

  Case& case_;
  Designs& d_;
  const Own own_;
  const Pilot& pilot_;
  const Signal slow_, sharpness_;
  const double time_;
  const experiment::VerifySettings& margins_;
  std::vector<double> rates_;
  std::size_t place_ = 0;  ///< of the file's rate among them
};

}  // namespace

void design_claims(Case& c, const Own& own, const Pilot& pilot, std::size_t slow, std::size_t sharpness, double time,
                   const experiment::VerifySettings& margins) {
  Designer(c, own, pilot, slow, sharpness, time, margins).all();
}

}  // namespace sde::claims
