#include "one_curve.hpp"

#include <fmt/format.h>

#include <cmath>

#include "measuring.hpp"

namespace sde::claims {

namespace {

class Curves {
 public:
  Curves(const OneCurve& q, Results& results, Measured& m)
      : q_(q),
        results_(results),
        m_(m),
        method_(results.of(q.cell, q.pair.method)),
        theory_(results.of(q.cell, q.pair.theory)),
        baseline_(results.of(q.cell, q.pair.baseline)) {}

  void operator()() {
    const auto start = baseline_.at(0, q_.observable).value;
    const auto end = baseline_.at(baseline_.result.slow_time.size() - 1, q_.observable).value;
    const double level = start + q_.comparison.fraction * (end - start);
    const double factor = baseline_.time_at(level, q_.observable) / theory_.time_at(level, q_.observable);
    if (!std::isfinite(factor)) {
      m_.skipped.push_back(
          {title("one curve"), fmt::format("{} has not made {} of the change of {} by the end: the predicted factor is "
                                           "not known",
                                           theory_.name, q_.comparison.fraction, baseline_.name)});
      return;
    }
    const auto rescaled = rows(factor);
    m_.rows.push_back(worst(rescaled, title(fmt::format("time x {:.4g}", factor))));
    m_.cells.insert(m_.cells.end(), rescaled.begin(), rescaled.end());
    note(factor);
    if (&theory_ != &baseline_) control();
  }

 private:
  std::string title(const std::string& how) const {
    return fmt::format("{}, {} {} that of {}{}", q_.observable, how, q_.comparison.absolute ? "beside" : "/",
                       baseline_.name, q_.suffix);
  }

  /// Observations of the method that the baseline's run covers when time is multiplied by `factor`.
  std::vector<std::size_t> covered(double factor) const {
    const auto& t = method_.result.slow_time;
    const double end = baseline_.result.slow_time.back() * (1 + 1e-9);
    std::vector<std::size_t> all;
    for (std::size_t j = 1; j < t.size(); ++j)
      if (t[j] > t[j - 1] && factor * t[j] <= end) all.push_back(j);
    return all;
  }

  /// The baseline's curve at the rescaled times of these observations: its observation k + 1 is that of covered[k].
  Observed curve(double factor, const std::vector<std::size_t>& covered) {
    std::vector<double> times{0};
    for (const auto j : covered) times.push_back(factor * method_.result.slow_time[j]);
    return results_.other(q_.cell, q_.experiment.methods[q_.pair.baseline], times);
  }

  Row row_of(std::size_t j, const Mean& predicted) const {
    Row row;
    row.claim = q_.claim;
    row.name = method_.name;
    hold(row, method_.at(j, q_.observable), predicted, q_.comparison.absolute);
    row.low = -q_.margin;
    row.high = q_.margin;
    account(row, {&method_, &baseline_, &theory_});
    return row;
  }

  std::vector<Row> rows(double factor) {
    const auto places = covered(factor);
    const auto along = curve(factor, places);
    std::vector<Row> all;
    for (std::size_t k = 0; k < places.size(); ++k) {
      all.push_back(row_of(places[k], along.at(k + 1, q_.observable)));
      const double t = method_.result.slow_time[places[k]];
      all.back().quantity = title(fmt::format("slow time {:.4g} x {:.4g}", t, factor));
      const auto o = method_.at(places[k], q_.observable);
      m_.points.push_back({q_.observable + " at rescaled time: " + method_.name, factor * t, o.value, o.error});
    }
    return all;
  }

  /// How far `o` is from the baseline's curve at most, as a share of it or absolute, and at which observation.
  std::pair<double, std::size_t> farthest(double factor) {
    const auto places = covered(factor);
    const auto along = curve(factor, places);
    std::pair<double, std::size_t> most{-1, 0};
    for (std::size_t k = 0; k < places.size(); ++k) {
      const double predicted = along.at(k + 1, q_.observable).value;
      const double distance =
          std::abs((theory_.at(places[k], q_.observable).value - predicted) / (q_.comparison.absolute ? 1 : predicted));
      if (distance > most.first) most = {distance, places[k]};
    }
    return most;
  }

  void note(double factor) {
    if (&theory_ == &baseline_) return;
    m_.notes.push_back(
        fmt::format("{}{}: {}: predicted factor of time {:.4f}; rescaled by it the slow SDE itself leaves that of {} "
                    "by up to {:.2g}{}",
                    method_.name, q_.suffix, q_.observable, factor, baseline_.name,
                    (q_.comparison.absolute ? 1 : 100) * farthest(factor).first, q_.comparison.absolute ? "" : "%"));
  }

  /// Where the slow SDEs alone are farthest from one curve.
  void control() {
    const auto [distance, place] = farthest(1);
    const auto what = "control: " + title("time as it is,");
    if (!apart(m_, what, distance, q_.margin)) return;
    const auto along = curve(1, {place});
    Row row = row_of(place, along.at(1, q_.observable));
    row.quantity = what;
    row.control = true;
    m_.rows.push_back(row);
  }

  const OneCurve& q_;
  Results& results_;
  Measured& m_;
  const Observed &method_, &theory_, &baseline_;
};

}  // namespace

void one_curve(const OneCurve& q, Results& results, Measured& m) { Curves(q, results, m)(); }

}  // namespace sde::claims
