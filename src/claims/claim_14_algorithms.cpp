#include <fmt/format.h>

#include "measuring.hpp"
#include "other_algorithms.hpp"
#include "sde/discrete/heavy_ball.hpp"
#include "sde/stats/fit.hpp"

namespace sde::claims {

namespace {

/// Weak errors over the scale of g, the worst of the functions, at falling effective rates.
struct Errors {
  std::vector<double> rate, error, uncertainty;

  /// The number of the worst function.
  std::size_t add(double effective, const verify::PairedResult& r) {
    const auto& gap = r.gap[0].back();
    std::size_t worst = 0;
    double most = -1;
    for (std::size_t q = 0; q < gap.size(); ++q)
      if (const double e = std::abs(gap[q].mean) / scale(r, q); e > most) most = e, worst = q;
    rate.push_back(effective);
    error.push_back(most);
    uncertainty.push_back(gap[worst].standard_error() / scale(r, worst));
    return worst;
  }
  /// A curve, and a note about its order.
  void report(const Case& c, const std::string& name, Measured& m) const {
    for (std::size_t k = 0; k < rate.size(); ++k)
      m.points.push_back({fmt::format("{}, {}", c.name, name), rate[k], error[k], uncertainty[k]});
    const auto note = fmt::format("{}, {}: weak error {:.2g} +- {:.1g} of the scale at the effective rate {:.3g}",
                                  c.name, name, error[0], 1.96 * uncertainty[0], rate[0]);
    if (!(error[0] > 4 * uncertainty[0] && error[1] > 4 * uncertainty[1])) {
      m.notes.push_back(note + ": too small for its order to be seen");
      return;
    }
    const auto line = stats::fit_order(rate, error, uncertainty);
    m.notes.push_back(note + fmt::format(", of order {:.2f} +- {:.2f} in it", line.slope, 1.96 * line.slope_error));
  }

 private:
  /// The size of g's change and its standard deviation.
  static double scale(const verify::PairedResult& r, std::size_t q) {
    return std::abs(r.drift[0].back()[q].mean) + std::sqrt(r.prediction[0].back()[q].variance());
  }
};

/// One algorithm on one problem.
class Algorithm14 {
 public:
  Algorithm14(const Setting& s, const Case& c, const OtherAlgorithm& of, int number, Measured& m)
      : s_(s),
        c_(c),
        design_(c.designs.algorithms),
        name_(of.name),
        a_(of.algorithm),
        time_(design_.time / (of.unit * of.unit)),
        dt_(std::min(design_.dt, design_.time / 8) / (of.unit * of.unit)),
        unit_(of.unit),
        number_(number),
        m_(m) {
    a_.rate.eta *= s.eta;
    half_ = design_.margin * s.margin;
  }

  void all() {
    drift();
    if (c_.diffuses) diffusion();
    weak_error();
  }

 private:
  std::string of(const char* quantity) const { return fmt::format("{}, {}", quantity, name_); }
  double effective(const discrete::Algorithm& a) const { return unit_ * std::sqrt(a.slow_time(a.rate.eta)); }
  void count(Row row) { m_.rows.push_back(std::move(row)); }

  verify::Pairing pairing(int run, long paths, double slower = 1) const {
    auto a = a_;
    a.rate.eta *= slower;
    a.seed = s_.seed_of(14, 10 * number_ + run);
    // The common noise cancels less where momenta bring it in late, where workers drift apart for rounds, and where
    // gradients do not all move the path alike (momenta that are reset); one worker's steps cost less.
    const bool rounds = a.workers > 1 && a.round(0).synchronizes;
    const auto sde = a.type->slow_sde(a, 0);
    const bool unlike = sde.batch < 0.99 * a.batch;
    return stationary(c_, a, time_, dt_, s_.paths(paths * (unlike ? 16 : rounds || a.workers == 1 ? 8 : 2)));
  }
  /// SGD's slow SDE: of the same slow time and diffusion, so of the same effective learning rate.
  verify::Prediction sgd(const verify::Pairing& p) const {
    auto q = p.predictions.front();
    q.name = "SGD at the same effective learning rate";
    q.parameters.weights = {};
    q.parameters.workers = 1;
    if (q.metric) {  // S = 1/(v^power + epsilon) becomes a number
      q.metric->c = 0;
      q.metric->epsilon = 1 / unit_;
      q.metric->start.setZero();
    }
    return q;
  }

  void drift() {
    auto p = pairing(0, c_.diffuses ? design_.paths : design_.paths / 16);  // without diffusion there is little noise
    p.functions = {c_.slow_variable};
    p.predictions.push_back(sgd(p));
    const auto r = paired(s_, m_, c_, p);
    const double own = r.drift[0].back()[0].mean, of_sgd = r.drift[1].back()[0].mean;
    if (std::abs(own) < 1e-9) return;
    count(gap_row(14, c_, of("drift / slow SDE's"), r, 0, 0, own, half_));
    const double distance = std::abs(own - of_sgd) / std::abs(own);
    if (distance < half_ / 2) {  // as of momentum at a fixed beta, whose weight tends to SGD's with eta
      count(
          gap_row(14, c_, of("drift / slow SDE's, by SGD's slow SDE at the same effective rate"), r, 1, 0, own, half_));
      return;
    }
    const auto name = of("control: SGD at the same effective learning rate");
    if (!apart(m_, name, distance, half_)) return;
    Row row = gap_row(14, c_, name, r, 1, 0, own, half_);
    row.control = true;
    count(row);
  }

  void diffusion() {
    const slow::Matrix u = noise_directions(c_.problem).leftCols(1);
    auto pilot = pairing(1, 64);
    pilot.burn_in = 0;
    pilot.functions = {along(u.col(0), c_.problem.start_on_gamma)};
    Vector centre = c_.problem.start_on_gamma;
    centre += paired(s_, m_, c_, pilot).drift[0].back()[0].mean * u.col(0);
    // From the start: the slow variable (AlgorithmType::slow_variable) has its whole variance from the first round on.
    auto p = pairing(2, 2 * design_.paths);
    p.burn_in = 0;
    p.functions = {product_along(u.col(0), u.col(0), centre)};
    auto wrong = p.predictions.front();
    wrong.parameters.batch *= 2;
    p.predictions.push_back(wrong);
    const auto r = paired(s_, m_, c_, p);
    const double scale = r.prediction[0].back()[0].mean;
    Row row = gap_row(14, c_, of("variance / slow SDE's"), r, 0, 0, scale, half_);
    row.measured = 1 + row.difference();
    row.predicted = 1;
    count(row);
    Row control = gap_row(14, c_, of("control: B twice as large"), r, 1, 0, scale, half_);
    control.control = true;
    count(control);
  }

  /// The error over the scale of g at the algorithm's own rate, and its order from twice that rate to half of it.
  void weak_error() {
    Errors errors;
    for (int level = 0; level < 3; ++level) {
      const long paths = c_.diffuses ? design_.paths : design_.paths / 8;
      auto p = pairing(3 + level, paths * 2 >> level, std::pow(0.5, level - 1));
      p.functions = {c_.slow_variable, verify::sharpness()};
      const auto r = paired(s_, m_, c_, p);
      const std::size_t worst = errors.add(effective(p.algorithm), r);
      if (level != 1) continue;
      Row row;
      row.claim = 14;
      row.name = c_.name;
      row.quantity = fmt::format("weak error / scale of g, worst: {}, {}", p.functions[worst].name, name_);
      row.measured = errors.error.back();
      row.standard_error = errors.uncertainty.back();
      row.low = -kInfinity;
      row.high = half_;
      row.of = static_cast<int>(p.functions.size());
      row.gradients = r.gradients;
      row.lost = static_cast<double>(r.lost) / static_cast<double>(r.paths);
      m_.rows.push_back(row);
    }
    errors.report(c_, name_, m_);
  }

  const Setting& s_;
  const Case& c_;
  const AlgorithmsDesign& design_;
  const std::string name_;
  discrete::Algorithm a_;
  const double time_, dt_;  ///< in the algorithm's slow time
  const double unit_;
  const int number_;
  Measured& m_;
  double half_;
};

/// Momentum that remembers a fixed slow time, 1 - beta = effective^2/memory, which is 1 - beta ~ eta^(2/3) of its own
/// learning rate eta (arXiv 2210.16400), from rest: not what section 9 is about, where beta stays.
void long_memory(const Setting& s, const Case& c, int number, Measured& m) {
  const auto& design = c.designs.algorithms;
  const double memory = design.time / 10;
  Errors errors;
  for (int level = 0; level < 3; ++level) {
    const double effective = 2 * design.effective * s.eta * std::pow(0.5, level);
    const double gain = effective * effective / memory;
    discrete::Algorithm a;
    a.type = &discrete::heavy_ball;
    a.batch = design.batch;
    a.parameters = {1 - gain, 0, 1, 1, 0, 0};
    a.rate.eta = effective * gain;
    a.rate.steps = 1'000'000;
    a.seed = s.seed_of(14, 10 * number + level);
    auto p = stationary(c, a, design.time, design.dt, s.paths(design.paths));
    p.burn_in = 0;
    p.functions = {c.slow_variable, verify::sharpness()};
    errors.add(effective, paired(s, m, c, p));
  }
  errors.report(c, fmt::format("heavy ball, 1 - beta ~ eta^(2/3), its memory {:g} of slow time", memory), m);
}

Measured measure(const Setting& s, const Case& c) {
  Measured m;
  const auto& design = c.designs.algorithms;
  auto all = design.all;
  const bool shipped = all.empty();
  if (shipped) all = other_algorithms(c.problem, design.effective, design.batch, design.time);
  int number = 0;
  for (const auto& of : all) Algorithm14(s, c, of, number++, m).all();
  if (shipped) long_memory(s, c, number, m);
  return m;
}

}  // namespace

Claim other_algorithms_claim() {
  return {
      14,
      "Other algorithms: momentum, outer steps, graphs, delays and adaptive ones follow their own slow SDE, not SGD's",
      "sections 9 and 10 (derived for this project)",
      "drift, variance along Gamma and weak error of each algorithm on common noise with its slow SDE",
      "0.05 of the drift, of the variance, of the scale of g",
      "not measured: the statement is the same there",
      measure};
}

}  // namespace sde::claims
