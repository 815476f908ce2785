#include "observing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sde::experiment {

namespace {

using ensemble::Method;
using Times = std::vector<double>;

/// Number of the method of a group whose rounds decide when a slow SDE of the group is observed: one of the same
/// settings, or the first. The number of methods where the group has slow SDEs alone.
std::size_t beside(const Method& slow, const std::vector<Method>& methods) {
  std::size_t first = methods.size();
  const auto label = [](const Method& m) { return m.algorithm.type->label(m.algorithm); };
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i].group != slow.group || !methods[i].dynamics->in_rounds()) continue;
    if (label(methods[i]) == label(slow)) return i;
    first = std::min(first, i);
  }
  return first;
}

/// The ends of rounds, but the times asked for where they are the same up to rounding: then results are to the bit
/// those of a slow SDE alone.
Times up_to_rounding(const Times& ends, const Times& asked) {
  Times times = ends;
  for (std::size_t first = 0, next = 0; first < ends.size(); first = next) {
    for (next = first; next < ends.size() && ends[next] == ends[first]; ++next)
      if (std::abs(ends[next] - asked[next]) <= 1e-12 * asked[next]) times[first] = asked[next];
    if (first > 0) times[first] = std::max(times[first], times[first - 1]);  // steps may be as short as rounding
    std::fill(times.begin() + static_cast<std::ptrdiff_t>(first), times.begin() + static_cast<std::ptrdiff_t>(next),
              times[first]);
  }
  return times;
}

/// Empty where every observation has a time of its own.
std::string repeated(const Method& m, const Times& ends) {
  std::size_t repeats = 0;
  for (std::size_t i = 1; i < ends.size(); ++i) repeats += ends[i] == ends[i - 1];
  if (repeats == 0) return "";
  const std::size_t own = ends.size() - 1 - repeats;
  return fmt::format("{}: {} of its {} observations repeat the one before, since no round ends between them{}", m.name,
                     repeats, ends.size() - 1,
                     m.algorithm.steady() && own > 0
                         ? fmt::format(" (with experiment.observations = {} each has a time of its own)", own)
                         : "");
}

}  // namespace

void set_times(Experiment& e) {
  const Times& asked = e.observation.times;
  std::vector<Times> ends;
  for (const auto& m : e.methods) {
    ends.push_back(ensemble::observed_times(m, asked));
    if (auto note = repeated(m, ends.back()); !note.empty()) e.repeated.push_back(std::move(note));
  }
  e.times.assign(e.methods.size(), asked);
  for (std::size_t i = 0; i < e.methods.size(); ++i) {
    if (e.methods[i].dynamics->in_rounds()) continue;
    if (const auto j = beside(e.methods[i], e.methods); j < e.methods.size())
      e.times[i] = up_to_rounding(ends[j], asked);
  }
}

}  // namespace sde::experiment
