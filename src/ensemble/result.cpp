#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "sde/ensemble/method.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/model/point_model.hpp"

namespace sde::ensemble {

namespace {

struct Names {
  const Observation& observation;
  std::vector<std::string> all;
  void scalar(const char* name, auto) { all.emplace_back(name); }
  void polynomials() {
    for (const auto& p : observation.polynomials) all.push_back(p.text);
    for (const auto& p : observation.diagonal_powers) all.push_back(p.text);
  }
};

}  // namespace

std::vector<std::string> observable_names(const Problem& problem, const Observation& observation) {
  if (const auto* points = problem.model->at_points()) {
    auto all = points->names();
    all.emplace_back("disagreement");
    for (const auto& p : observation.diagonal_powers) all.push_back(p.text);
    return all;
  }
  Names names{observation, {}};
  for_each_observable(problem.model->has_test_error(), names);
  return names.all;
}

namespace {

MethodResult::Table empty_table(std::size_t times, std::size_t quantities) {
  return MethodResult::Table(times, std::vector<stats::Moments>(quantities));
}

/// Adds what there is room for.
template <class T>
void append(std::vector<T>& into, const std::vector<T>& from, long most) {
  const auto room = static_cast<std::size_t>(most) - into.size();
  const auto more = static_cast<std::ptrdiff_t>(std::min(room, from.size()));
  into.insert(into.end(), from.begin(), from.begin() + more);
}
/// Adds to the samples of time t those that `from` has as its time number `row`.
void merge_samples(MethodResult& into, std::size_t t, const MethodResult& from, std::size_t row) {
  for (std::size_t q = 0; q < into.samples[t].size(); ++q)
    append(into.samples[t][q], from.samples[row][q], into.most_samples);
  append(into.sample_paths[t], from.sample_paths[row], into.most_samples);
}

}  // namespace

void SpectrumRange::add(const Vector& eigenvalues) {
  const auto rank = static_cast<int>(eigenvalues.size());
  merge({1, rank, rank, rank > 0 ? eigenvalues[0] : 0, rank > 0 ? eigenvalues[rank - 1] : 0});
}
void SpectrumRange::merge(const SpectrumRange& from) {
  if (from.points == 0) return;
  const bool first = points == 0;
  points += from.points;
  least_rank = first ? from.least_rank : std::min(least_rank, from.least_rank);
  most_rank = first ? from.most_rank : std::max(most_rank, from.most_rank);
  smallest = first ? from.smallest : std::min(smallest, from.smallest);
  largest = first ? from.largest : std::max(largest, from.largest);
}

MethodResult::MethodResult(const Problem& problem, const Observation& observation, std::vector<double> times)
    : slow_time(std::move(times)),
      observables(observable_names(problem, observation)),
      most_samples(std::max(kQuantilePaths, observation.save_paths)) {
  const std::size_t count = slow_time.size(), intervals = count > 0 ? count - 1 : 0;
  const auto c = static_cast<std::size_t>(observation.components);
  const auto pairs = static_cast<std::size_t>(pairs_of(observation.components));
  values = empty_table(count, observables.size());
  drift_1 = drift_2 = ito_normal = diffusion = empty_table(count, c);
  rate = empty_table(intervals, c);
  diffusion_pairs = empty_table(count, pairs);
  rate_sums = rate_differences = empty_table(intervals, pairs);
  samples.assign(count, std::vector<std::vector<double>>(observables.size()));
  sample_paths.resize(count);
}

void MethodResult::merge(const MethodResult& from) {
  stats::merge(values, from.values);
  stats::merge(drift_1, from.drift_1);
  stats::merge(drift_2, from.drift_2);
  stats::merge(ito_normal, from.ito_normal);
  stats::merge(diffusion, from.diffusion);
  stats::merge(rate, from.rate);
  stats::merge(diffusion_pairs, from.diffusion_pairs);
  stats::merge(rate_sums, from.rate_sums);
  stats::merge(rate_differences, from.rate_differences);
  for (std::size_t t = 0; t < samples.size(); ++t) merge_samples(*this, t, from, t);
  if (lost == 0 && from.lost > 0) first_lost = from.first_lost;
  paths += from.paths;
  lost += from.lost;
  gradients += from.gradients;
  spectra.merge(from.spectra);
}

void MethodResult::merge_time(std::size_t t, const MethodResult& from, std::size_t row) {
  stats::merge(values[t], from.values[row]);
  stats::merge(drift_1[t], from.drift_1[row]);
  stats::merge(drift_2[t], from.drift_2[row]);
  stats::merge(ito_normal[t], from.ito_normal[row]);
  stats::merge(diffusion[t], from.diffusion[row]);
  stats::merge(diffusion_pairs[t], from.diffusion_pairs[row]);
  if (t > 0) {
    stats::merge(rate[t - 1], from.rate[row - 1]);
    stats::merge(rate_sums[t - 1], from.rate_sums[row - 1]);
    stats::merge(rate_differences[t - 1], from.rate_differences[row - 1]);
  }
  merge_samples(*this, t, from, row);
}

MethodResult::Table& MethodResult::table(PerComponent which) {
  switch (which) {
    case PerComponent::drift_1:
      return drift_1;
    case PerComponent::drift_2:
      return drift_2;
    case PerComponent::ito_normal:
      return ito_normal;
    case PerComponent::diffusion:
      return diffusion;
    case PerComponent::rate:
      break;
  }
  return rate;
}

std::size_t MethodResult::index_of(std::string_view name) const {
  const auto found = std::find(observables.begin(), observables.end(), name);
  if (found == observables.end())
    throw std::out_of_range(fmt::format("no observable '{}': expected one of {}", name, fmt::join(observables, ", ")));
  return static_cast<std::size_t>(found - observables.begin());
}

bool MethodResult::samples_full() const {
  return !samples.empty() && samples.back().front().size() >= static_cast<std::size_t>(most_samples);
}
void MethodResult::drop_samples() {
  for (auto& time : samples)
    for (auto& kept : time) kept.clear();
  for (auto& kept : sample_paths) kept.clear();
}

double MethodResult::quantile(std::size_t time, std::size_t observable, double p) const {
  auto kept = samples[time][observable];
  if (kept.empty()) return std::numeric_limits<double>::quiet_NaN();
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(kQuantilePaths)));
  std::sort(kept.begin(), kept.end());
  const double position = p * static_cast<double>(kept.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= kept.size()) return kept.back();
  const double part = position - static_cast<double>(below);
  return kept[below] * (1 - part) + kept[below + 1] * part;
}

namespace {

/// Whether two tables have the same sizes, down to their entries.
template <class T>
bool alike(const T&, const T&) {
  return true;
}
template <class T>
bool alike(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.size() == y.size() && alike(x, y);
         });
}
/// What merge() takes for granted. Kept samples may be fewer.
bool mergeable(const MethodResult& a, const MethodResult& b) {
  const auto sizes = [](const auto& samples) {
    std::vector<std::vector<int>> all;
    for (const auto& time : samples) all.emplace_back(time.size());
    return all;
  };
  return alike(a.values, b.values) && alike(a.drift_1, b.drift_1) && alike(a.drift_2, b.drift_2) &&
         alike(a.ito_normal, b.ito_normal) && alike(a.diffusion, b.diffusion) && alike(a.rate, b.rate) &&
         alike(a.diffusion_pairs, b.diffusion_pairs) && alike(a.rate_sums, b.rate_sums) &&
         alike(a.rate_differences, b.rate_differences) && alike(sizes(a.samples), sizes(b.samples)) &&
         a.sample_paths.size() == b.sample_paths.size();
}

}  // namespace

void MethodState::add(long group, GroupState state, long blocks) {
  if (group < merged) return;  // it was complete, and merged with the one before it
  if (state.merged > 0 || !state.unfinished.empty()) begun[group] = std::move(state);
  for (auto next = begun.find(merged); next != begun.end(); next = begun.find(merged)) {
    if (next->second.merged < blocks_in_group(merged, blocks)) return;
    // It may come from another process.
    if (!mergeable(total, next->second.part))
      throw std::runtime_error(
          fmt::format("group {} of paths has other observations or observables than those before it: expected the same "
                      "program, arguments and files on every node",
                      merged));
    total.merge(next->second.part);
    begun.erase(next);
    ++merged;
  }
}

}  // namespace sde::ensemble
