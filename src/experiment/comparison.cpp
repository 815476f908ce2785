#include "comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reading.hpp"

namespace sde::experiment {

namespace {

std::vector<std::string> names_of(const std::vector<ensemble::Method>& methods) {
  std::vector<std::string> names;
  for (const auto& m : methods) names.push_back(m.name);
  return names;
}

std::size_t number_of(const Section& s, const char* key, const std::string& name,
                      const std::vector<ensemble::Method>& methods) {
  const auto names = names_of(methods);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    s.fail(key, fmt::format("'{}' is the name of no method: expected one of '{}'", name, fmt::join(names, "', '")));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<Comparison::Pair> read_pairs(Section& s, bool ordered, const std::vector<ensemble::Method>& methods) {
  std::vector<std::size_t> others;
  for (const auto& name : s.texts({"methods", ""})) others.push_back(number_of(s, "methods", name, methods));
  std::vector<Comparison::Pair> pairs;
  if (ordered) {
    if (others.size() < 2) s.fail("methods", "expected two names or more, the largest value first");
    for (std::size_t k = 1; k < others.size(); ++k) pairs.push_back({others[k - 1], others[k]});
    return pairs;
  }
  const auto baseline = number_of(s, "baseline", s.text({"baseline", ""}, ""), methods);
  if (others.empty())
    for (std::size_t k = 0; k < methods.size(); ++k)
      if (k != baseline && methods[k].dynamics->is_algorithm()) others.push_back(k);
  for (const auto k : others) {
    if (k == baseline) s.fail("methods", "expected other methods than the baseline");
    pairs.push_back({baseline, k});
  }
  if (pairs.empty()) s.fail("methods", "expected a discrete algorithm beside the baseline");
  return pairs;
}

}  // namespace

std::optional<Comparison> read_comparison(Section verify, const Experiment& e) {
  if (!verify.has("comparison")) return std::nullopt;
  Section s = verify.section("comparison");
  Comparison c;
  c.claim = static_cast<int>(s.integer({"claim", ""}, 10, 10, 12));
  const std::string expect = s.choice({"expect", ""}, "", {"better", "no_better", "ordered"});
  c.better = expect != "no_better";
  c.pairs = read_pairs(s, expect == "ordered", e.methods);
  c.observables = s.texts({"observables", ""});
  const auto known = ensemble::observable_names(e.problem, e.observation);
  if (c.observables.empty()) c.observables = {"test_error"};
  for (const auto& name : c.observables)
    if (std::find(known.begin(), known.end(), name) == known.end())
      s.fail("observables", fmt::format("'{}' is not observed: expected one of {}", name, fmt::join(known, ", ")));
  c.margin = s.between({"margin", ""}, 0.05, 0, 1);
  s.finish();
  return c;
}

}  // namespace sde::experiment
