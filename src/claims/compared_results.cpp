#include "compared_results.hpp"

#include <algorithm>
#include <cmath>

namespace sde::claims {

Mean over(const Mean& a, const Mean& b) {
  const double ratio = a.value / b.value;
  return {ratio, std::hypot(a.error, ratio * b.error) / std::abs(b.value)};
}

Mean Observed::at(std::size_t time, const std::string& observable) const {
  const auto& v = result.at(time, observable);
  return {v.mean, one_path ? 0.0 : v.standard_error()};
}

double Observed::time_at(double level, const std::string& observable) const {
  const auto& t = result.slow_time;
  for (std::size_t j = 1; j < t.size(); ++j) {
    const double before = at(j - 1, observable).value, after = at(j, observable).value;
    if ((before - level) * (after - level) > 0 || before == after) continue;
    return t[j - 1] + (t[j] - t[j - 1]) * (level - before) / (after - before);
  }
  return kNone;
}

Results::Results(int claim, const Setting& s, const Compared& compared, Measured& m)
    : claim_(claim),
      setting_(s),
      compared_(compared),
      measured_(m),
      next_(static_cast<int>(compared.cells.size() * compared.cells.front().experiment.methods.size())) {}

Observed Results::run(std::size_t cell, ensemble::Method method, const std::vector<double>& times, int number) {
  const auto& e = compared_.cells[cell].experiment;
  Observed o{method.name, {}, method.dynamics->one_path()};
  if (!o.one_path) method.paths = setting_.paths(method.paths);
  method.algorithm.seed = setting_.seed_of(claim_, number);
  auto observation = e.observation;
  observation.times = times;
  o.result = ensemble::run(e.problem, method, observation, setting_.control);
  measured_.gradients += o.result.gradients;
  return o;
}

const Observed& Results::of(std::size_t cell, std::size_t method) {
  const auto key = std::pair(cell, method);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const auto& c = compared_.cells[cell];
  const auto& e = c.experiment;
  const auto number = static_cast<int>(cell * e.methods.size() + method);
  const auto& o = known_[key] = run(cell, e.methods[method], e.times[method], number);
  const auto& times = o.result.slow_time;
  const bool swept = compared_.cells.size() > 1;  // the figure has a cell's end alone
  std::vector<std::string> observables;
  for (const auto& comparison : e.comparisons)
    for (const auto& observable : comparison.observables)
      if (comparison.claim == claim_ &&
          std::find(observables.begin(), observables.end(), observable) == observables.end())
        observables.push_back(observable);
  for (const auto& observable : observables)
    for (std::size_t t = swept ? times.size() - 1 : 0; t < times.size(); ++t) {
      const auto v = o.at(t, observable);
      measured_.points.push_back({observable + ": " + o.name, swept ? c.x : times[t], v.value, v.error});
    }
  return o;
}

Observed Results::other(std::size_t cell, const ensemble::Method& method, const std::vector<double>& times) {
  return run(cell, method, times, next_++);
}

void hold(Row& row, const Mean& found, const Mean& expected, bool absolute) {
  const Mean ratio = over(found, expected);
  row.measured = absolute ? found.value : ratio.value;
  row.predicted = absolute ? expected.value : 1;
  row.standard_error = absolute ? std::hypot(found.error, expected.error) : ratio.error;
}

void account(Row& row, const std::vector<const Observed*>& runs) {
  double lost = 0, paths = 0;
  row.gradients = 0;
  for (const auto* o : runs) {
    row.gradients += o->result.gradients;
    lost += static_cast<double>(o->result.lost);
    paths += static_cast<double>(o->result.paths);
  }
  row.lost = lost / paths;
}

}  // namespace sde::claims
