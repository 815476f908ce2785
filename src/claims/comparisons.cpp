// The rows of comparisons: which numbers are set beside each other, with which margin, and the wrong predictions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compared_results.hpp"
#include "measuring.hpp"
#include "one_curve.hpp"

namespace sde::claims {

namespace {

using experiment::Comparison;
using Expect = Comparison::Expect;

/// Observations of a cell at which a comparison is measured, and what its rows call them. Several of one entry have one
/// row, which stands for the worst.
struct When {
  std::vector<std::size_t> rows;
  std::string words;
};

std::vector<When> when(const experiment::Experiment& e, const Comparison& c, const Observed& o) {
  const auto& asked = e.observation.times;
  const auto& times = o.result.slow_time;
  if (c.at_all_times) {
    When all{{}, "all times"};
    for (std::size_t j = 1; j < times.size(); ++j)
      if (times[j] > times[j - 1]) all.rows.push_back(j);  // where no round ends between, it is the one before
    return {all};
  }
  if (c.times.empty()) return {{{times.size() - 1}, "end"}};
  std::vector<When> some;
  for (const double t : c.times)
    if (const auto j = experiment::observation_at(asked, t); j < asked.size())
      some.push_back({{j}, fmt::format("slow time {}", t)});
  return some;
}

/// One comparison in one cell.
class Comparing {
 public:
  Comparing(int claim, const Setting& s, const Compared& all, std::size_t cell, const Comparison& c, Results& results,
            Measured& m)
      : claim_(claim),
        margin_(c.margin * s.margin),
        cell_(cell),
        e_(all.cells[cell].experiment),
        suffix_(all.cells[cell].name.empty() ? "" : ", " + all.cells[cell].name),
        c_(c),
        results_(results),
        m_(m) {}

  void operator()() {
    if (!applies()) return;
    for (const auto& pair : c_.pairs)
      for (const auto& observable : c_.observables)
        if (c_.expect == Expect::one_curve)
          one_curve({claim_, margin_, cell_, e_, suffix_, c_, pair, observable}, results_, m_);
        else
          for (const auto& w : when(e_, c_, results_.of(cell_, pair.method))) at(pair, observable, w);
  }

 private:
  /// Whether this cell of a sweep is observed at a time that is asked for.
  bool applies() const {
    const auto& observed = e_.observation.times;
    return c_.times.empty() || std::any_of(c_.times.begin(), c_.times.end(), [&](double t) {
             return experiment::observation_at(observed, t) < observed.size();
           });
  }

  const std::string& name(std::size_t method) const { return e_.methods[method].name; }

  /// What the method has beside what it is held against, as a ratio or `absolute`.
  Row beside(const Comparison::Pair& pair, const std::string& observable, std::size_t j) {
    const auto &method = results_.of(cell_, pair.method), &baseline = results_.of(cell_, pair.baseline);
    Mean o = method.at(j, observable), b = baseline.at(j, observable);
    Row row;
    row.claim = claim_;
    row.name = method.name;
    std::vector<const Observed*> runs{&method, &baseline};
    if (c_.expect == Expect::same_ratio) {
      runs.push_back(&results_.of(cell_, c_.ratio.over));
      runs.push_back(&results_.of(cell_, c_.ratio.under));
      o = over(o, b);
      b = over(runs[2]->at(j, observable), runs[3]->at(j, observable));
    }
    hold(row, o, b, c_.absolute);
    const bool below = c_.expect == Expect::better, not_below = c_.expect == Expect::no_better;
    row.low = below ? -kInfinity : -margin_;
    row.high = below ? -margin_ : not_below ? kInfinity : margin_;
    account(row, runs);
    return row;
  }

  std::string quantity(const Comparison::Pair& pair, const std::string& observable, const std::string& words) const {
    const auto text =
        c_.expect == Expect::same_ratio
            ? fmt::format("{}, {}, over {} / {} over {}", observable, words, name(pair.baseline), name(c_.ratio.over),
                          name(c_.ratio.under))
            : fmt::format("{}, {} {} that of {}", observable, words, c_.absolute ? "beside" : "/", name(pair.baseline));
    return text + suffix_;
  }

  void at(const Comparison::Pair& pair, const std::string& observable, const When& w) {
    std::vector<Row> rows;
    for (const auto j : w.rows) {
      rows.push_back(beside(pair, observable, j));
      rows.back().quantity = quantity(pair, observable, w.words);
    }
    if (rows.size() > 1) {
      m_.rows.push_back(worst(rows, rows.front().quantity));
      for (std::size_t k = 0; k < rows.size(); ++k) {
        rows[k].quantity =
            quantity(pair, observable,
                     fmt::format("slow time {:.4g}", results_.of(cell_, pair.method).result.slow_time[w.rows[k]]));
        m_.cells.push_back(rows[k]);
      }
    } else {
      m_.rows.push_back(rows.front());
    }
    control(pair, observable, w, rows);
  }

  void control(const Comparison::Pair& pair, const std::string& observable, const When& w,
               const std::vector<Row>& rows) {
    if (c_.expect == Expect::predicted) return wrong_predictions(pair, observable, w, rows);
    if (c_.expect == Expect::same_ratio) return no_difference(pair, observable, w, rows);
    // The opposite has to be rejected: not below, or below by three margins. Of several times where that is hardest.
    const bool below = c_.expect == Expect::better;
    Row control = *std::max_element(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      return below ? a.difference() < b.difference() : a.difference() > b.difference();
    });
    control.control = true;
    control.quantity = fmt::format("control: {} {} of {}", observable, below ? "at least that" : "far below that",
                                   name(pair.baseline));
    if (w.words != "end") control.quantity += ", " + w.words;
    control.quantity += suffix_;
    control.low = below ? 0 : -kInfinity;
    control.high = below ? kInfinity : -3 * margin_;
    m_.rows.push_back(control);
  }

  /// A control that predicts `wrong` of rows[k], and was chosen without looking at what was measured.
  void push_control(Row row, double wrong, const std::string& what) {
    row.control = true;
    row.predicted = wrong;
    row.quantity = what;
    m_.rows.push_back(row);
  }

  /// Without drift-II; where that is hardly another prediction, that nothing moves. At the time at which it differs
  /// most from the right one.
  void wrong_predictions(const Comparison::Pair& pair, const std::string& observable, const When& w,
                         const std::vector<Row>& rows) {
    const auto& right = results_.of(cell_, pair.baseline);
    auto method = e_.methods[pair.baseline];
    method.factors.drift_2 = 0;
    const auto& without = without_drift_2(pair.baseline, method);
    const auto control = [&](const char* words, const auto& wrong_at) {
      double most = -1, wrong = kNone;
      std::size_t place = 0;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        const double scale = c_.absolute ? 1 : right.at(w.rows[k], observable).value;
        const double value = wrong_at(w.rows[k]) / scale, distance = std::abs(value - rows[k].predicted);
        if (distance > most) most = distance, wrong = value, place = k;
      }
      const auto what = fmt::format("control: {}, {}, {}{}", observable, w.words, words, suffix_);
      if (most <= 2 * margin_) return false;
      push_control(rows[place], wrong, what);
      return true;
    };
    if (control("without drift-II", [&](std::size_t j) { return without.at(j, observable).value; })) return;
    if (control("as at the start", [&](std::size_t) { return right.at(0, observable).value; })) return;
    m_.skipped.push_back({fmt::format("control: {}, {}{}", observable, w.words, suffix_),
                          "the prediction without drift-II, and the start, lie within two margins of the theory's"});
  }

  const Observed& without_drift_2(std::size_t number, const ensemble::Method& method) {
    const auto found = without_.find(number);
    if (found != without_.end()) return found->second;
    return without_[number] = results_.other(cell_, method, e_.times[number]);
  }

  /// That the method is as its baseline; where the other ratio says clearly that it is not.
  void no_difference(const Comparison::Pair& pair, const std::string& observable, const When& w,
                     const std::vector<Row>& rows) {
    double most = -1, wrong = kNone;
    std::size_t place = 0;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const auto other = over(results_.of(cell_, c_.ratio.under).at(w.rows[k], observable),
                              results_.of(cell_, c_.ratio.over).at(w.rows[k], observable));
      if (std::abs(other.value - 1) <= most) continue;
      most = std::abs(other.value - 1);
      wrong = other.value;
      place = k;
    }
    const auto what = fmt::format("control: {}, {}, {} as {}{}", observable, w.words, name(pair.method),
                                  name(pair.baseline), suffix_);
    if (apart(m_, what, most, margin_)) push_control(rows[place], wrong, what);
  }

  const int claim_;
  const double margin_;
  const std::size_t cell_;
  const experiment::Experiment& e_;
  const std::string suffix_;
  const Comparison& c_;
  Results& results_;
  Measured& m_;
  std::map<std::size_t, Observed> without_;  ///< slow SDEs without drift-II, by their method
};

}  // namespace

Measured measure_comparisons(int claim, const Setting& s, const Compared& compared) {
  Measured m;
  Results results(claim, s, compared, m);
  for (std::size_t cell = 0; cell < compared.cells.size(); ++cell)
    for (const auto& comparison : compared.cells[cell].experiment.comparisons)
      if (comparison.claim == claim) Comparing(claim, s, compared, cell, comparison, results, m)();
  return m;
}

Case comparison_case(Compared compared) {
  Case c;
  const auto& first = compared.cells.front().experiment;
  c.name = first.title;
  std::vector<int> about;
  for (std::size_t k = 0; k < first.comparisons.size(); ++k) {
    about.push_back(first.comparisons[k].claim);
    for (const double t : first.comparisons[k].times)
      if (std::none_of(compared.cells.begin(), compared.cells.end(), [&](const auto& cell) {
            const auto& observed = cell.experiment.observation.times;
            return experiment::observation_at(observed, t) < observed.size();
          }))
        throw InputError(fmt::format(
            "{}: verify.comparison.at: expected slow times of observations{}, {} after each other up to {}, got {}",
            first.file, compared.cells.size() > 1 ? " in a cell of [sweep]; of its first" : "",
            first.observation.times[1], first.observation.times.back(), t));
  }
  const std::string list = fmt::format("{}", fmt::join(std::set<int>(about.begin(), about.end()), ", "));
  for (const auto& claim : all())
    if (std::find(about.begin(), about.end(), claim.number) == about.end())
      c.not_applicable[claim.number] = fmt::format("the file's [verify.comparison] is about claim {}", list);
  c.compared = std::make_shared<const Compared>(std::move(compared));
  return c;
}

}  // namespace sde::claims
