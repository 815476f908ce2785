#include <fmt/format.h>

#include "measuring.hpp"
#include "other_algorithms.hpp"
#include "sde/stats/fit.hpp"

namespace sde::claims {

namespace {

/// One algorithm on one problem.
class Algorithm14 {
 public:
  Algorithm14(const Setting& s, const Case& c, std::string name, discrete::Algorithm a, int number, Measured& m)
      : s_(s), c_(c), design_(c.designs.algorithms), name_(std::move(name)), a_(std::move(a)), number_(number), m_(m) {
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
  double effective(const discrete::Algorithm& a) const { return std::sqrt(a.slow_time(a.rate.eta)); }
  void count(Row row) { m_.rows.push_back(std::move(row)); }

  verify::Pairing pairing(int run, double time, long paths, double slower = 1) const {
    auto a = a_;
    a.rate.eta *= slower;
    a.seed = s_.seed_of(14, 10 * number_ + run);
    // Where workers drift apart for rounds, and more where gradients do not all move the path alike (momenta that are
    // reset), the common noise cancels less.
    const bool rounds = a.workers > 1 && a.round(0).synchronizes;
    const auto sde = a.type->slow_sde(a, 0);
    const bool unlike = sde.batch < 0.99 * a.batch;
    return stationary(c_, a, time, std::min(design_.dt, time / 8), s_.paths(paths * (unlike ? 16 : rounds ? 4 : 1)));
  }
  /// SGD's slow SDE: of the same slow time and diffusion, so of the same effective learning rate.
  static verify::Prediction sgd(const verify::Pairing& p) {
    auto q = p.predictions.front();
    q.name = "SGD at the same effective learning rate";
    q.parameters.weights = {};
    q.parameters.workers = 1;
    return q;
  }

  void drift() {
    auto p = pairing(0, design_.time, design_.paths);
    p.functions = {c_.slow_variable};
    p.predictions.push_back(sgd(p));
    const auto r = paired(s_, m_, c_, p);
    const double own = r.drift[0].back()[0].mean, of_sgd = r.drift[1].back()[0].mean;
    if (std::abs(own) < 1e-9) return;
    count(gap_row(14, c_, of("drift / slow SDE's"), r, 0, 0, own, half_));
    const auto name = of("control: SGD at the same effective learning rate");
    if (!apart(m_, name, std::abs(own - of_sgd) / std::abs(own), half_)) return;
    Row row = gap_row(14, c_, name, r, 1, 0, own, half_);
    row.control = true;
    count(row);
  }

  void diffusion() {
    const slow::Matrix u = noise_directions(c_.problem).leftCols(1);
    auto pilot = pairing(1, design_.time / 4, 64);
    pilot.burn_in = 0;
    pilot.functions = {along(u.col(0), c_.problem.start_on_gamma)};
    Vector centre = c_.problem.start_on_gamma;
    centre += paired(s_, m_, c_, pilot).drift[0].back()[0].mean * u.col(0);
    auto p = pairing(2, design_.time / 4, 2 * design_.paths);
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

  /// The error over the scale of g at the algorithm's own rate, and its order from there down.
  void weak_error() {
    std::vector<double> eta, error, uncertainty;
    for (int level = 0; level < 3; ++level) {
      const double slower = std::pow(0.5, level);
      auto p = pairing(3 + level, design_.time, design_.paths / (level + 1), slower);
      p.functions = {c_.slow_variable, verify::sharpness()};
      const auto r = paired(s_, m_, c_, p);
      std::size_t worst = 0;
      double most = -1;
      for (std::size_t q = 0; q < p.functions.size(); ++q)
        if (const double e = std::abs(r.gap[0].back()[q].mean) / scale(r, q); e > most) most = e, worst = q;
      const auto& gap = r.gap[0].back()[worst];
      eta.push_back(effective(p.algorithm));
      error.push_back(most);
      uncertainty.push_back(gap.standard_error() / scale(r, worst));
      if (level > 0) continue;
      Row row;
      row.claim = 14;
      row.name = c_.name;
      row.quantity = fmt::format("weak error / scale of g, worst: {}, {}", p.functions[worst].name, name_);
      row.measured = most;
      row.standard_error = uncertainty.back();
      row.low = -kInfinity;
      row.high = half_;
      row.of = static_cast<int>(p.functions.size());
      row.gradients = r.gradients;
      row.lost = static_cast<double>(r.lost) / static_cast<double>(r.paths);
      m_.rows.push_back(row);
    }
    for (std::size_t k = 0; k < eta.size(); ++k)
      m_.points.push_back({fmt::format("{}, {}", c_.name, name_), eta[k], error[k], uncertainty[k]});
    const bool seen = error[0] > 4 * uncertainty[0] && error[1] > 4 * uncertainty[1];
    if (!seen) {
      m_.notes.push_back(
          fmt::format("{}, {}: weak error {:.2g} +- {:.1g} of the scale at the effective rate {:.3g}: too "
                      "small for its order to be seen",
                      c_.name, name_, error[0], 1.96 * uncertainty[0], eta[0]));
      return;
    }
    const auto line = stats::fit_order(eta, error, uncertainty);
    m_.notes.push_back(
        fmt::format("{}, {}: weak error {:.2g} +- {:.1g} of the scale at the effective rate {:.3g}, of order "
                    "{:.2f} +- {:.2f} in it",
                    c_.name, name_, error[0], 1.96 * uncertainty[0], eta[0], line.slope, 1.96 * line.slope_error));
  }
  /// The size of g's change and its standard deviation.
  static double scale(const verify::PairedResult& r, std::size_t q) {
    return std::abs(r.drift[0].back()[q].mean) + std::sqrt(r.prediction[0].back()[q].variance());
  }

  const Setting& s_;
  const Case& c_;
  const AlgorithmsDesign& design_;
  const std::string name_;
  discrete::Algorithm a_;
  const int number_;
  Measured& m_;
  double half_;
};

Measured measure(const Setting& s, const Case& c) {
  Measured m;
  auto all = c.designs.algorithms.all;
  if (all.empty()) all = other_algorithms(c.designs.algorithms.effective, c.designs.algorithms.batch);
  int number = 0;
  for (const auto& [name, a] : all) Algorithm14(s, c, name, a, number++, m).all();
  return m;
}

}  // namespace

Claim other_algorithms_claim() {
  return {14,
          "Other algorithms: momentum, outer steps, graphs and delays follow their own slow SDE, not SGD's",
          "section 9 (derived for this project)",
          "drift, variance along Gamma and weak error of each algorithm on common noise with its slow SDE",
          "0.05 of the drift, of the variance, of the scale of g",
          "not measured: the statement is the same there",
          measure};
}

}  // namespace sde::claims
