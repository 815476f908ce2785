#include "comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "pairs.hpp"
#include "reading.hpp"

namespace sde::experiment {

std::size_t observation_at(const std::vector<double>& observed, double time) {
  constexpr double kRounding = 1e-9;
  const auto found = std::find_if(observed.begin(), observed.end(),
                                  [&](double t) { return std::abs(t - time) <= kRounding * std::abs(time); });
  return static_cast<std::size_t>(found - observed.begin());
}

namespace {

using Expect = Comparison::Expect;
using Pairs = std::vector<Comparison::Pair>;

/// Reads one [verify.comparison].
class ComparisonReader {
 public:
  ComparisonReader(Section& s, const Experiment& e) : s_(s), e_(e), methods_(e.methods) {}

  Comparison read() {
    Comparison c;
    c.claim = static_cast<int>(s_.integer({"claim", ""}, 10, 10, 12));
    const std::string expect = s_.choice(
        {"expect", ""}, "", {"better", "no_better", "ordered", "alike", "predicted", "one_curve", "same_ratio"});
    c.expect = kind_of(expect);
    belongs("fraction", c.expect == Expect::one_curve, "one_curve");
    belongs("ratio", c.expect == Expect::same_ratio, "same_ratio");
    if (c.expect == Expect::one_curve && s_.has("at")) s_.fail("at", "one_curve is about all times: expected none");
    if (c.expect == Expect::same_ratio && s_.has("absolute"))
      s_.fail("absolute", "same_ratio is about ratios: expected none");
    c.pairs = expect == "ordered" ? ordered() : pairs(c.expect);
    if (c.expect == Expect::same_ratio) c.ratio = ratio();
    if (c.expect == Expect::one_curve) c.fraction = s_.fraction({"fraction", "of the baseline's change"}, 0.5);
    read_times(c);
    read_observables(c);
    c.absolute = s_.boolean({"absolute", ""}, false);
    c.margin = e_.verify.factor *
               (c.absolute ? s_.positive({"margin", ""}, std::nan("")) : s_.between({"margin", ""}, 0.05, 0, 1));
    s_.finish();
    return c;
  }

 private:
  static Expect kind_of(const std::string& word) {
    if (word == "no_better") return Expect::no_better;
    if (word == "alike") return Expect::alike;
    if (word == "predicted") return Expect::predicted;
    if (word == "one_curve") return Expect::one_curve;
    if (word == "same_ratio") return Expect::same_ratio;
    return Expect::better;
  }

  void belongs(const char* key, bool here, const char* expect) const {
    if (s_.has(key) && !here) s_.fail(key, fmt::format("belongs to expect = \"{}\"", expect));
  }

  std::size_t number_of(const char* key, const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& m : methods_) names.push_back(m.name);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      s_.fail(key, fmt::format("'{}' is the name of no method: expected one of '{}'", name, fmt::join(names, "', '")));
    return static_cast<std::size_t>(found - names.begin());
  }
  std::vector<std::size_t> numbers_of(const char* key) {
    std::vector<std::size_t> numbers;
    for (const auto& name : s_.texts({key, ""})) numbers.push_back(number_of(key, name));
    return numbers;
  }

  Pairs ordered() {
    const auto named = numbers_of("methods");
    if (named.size() < 2) s_.fail("methods", "expected two names or more, the largest value first");
    Pairs pairs;
    for (std::size_t k = 1; k < named.size(); ++k) pairs.push_back({named[k - 1], named[k]});
    return pairs;
  }

  /// The first slow SDE or ODE of a method's group; the number of methods where there is none.
  std::size_t theory_of(std::size_t method) const {
    const auto beside = slow_sdes_beside(e_, methods_[method]);
    return beside.empty() ? methods_.size() : beside.front();
  }

  Pairs pairs(Expect expect) {
    const bool own = expect == Expect::predicted, needs_theory = own || expect == Expect::one_curve;
    auto others = numbers_of("methods");
    if (own && s_.has("baseline"))
      s_.fail("baseline", "predicted is about each method's own slow SDE: expected none (or expect = \"alike\")");
    const auto baseline = own ? methods_.size() : number_of("baseline", s_.text({"baseline", ""}, ""));
    if (expect == Expect::one_curve && !methods_[baseline].dynamics->takes_limit())
      s_.fail("baseline", fmt::format("'{}': one_curve is that of a slow SDE or ODE: expected the name of one",
                                      methods_[baseline].name));
    if (others.empty())
      for (std::size_t k = 0; k < methods_.size(); ++k)
        if (k != baseline && methods_[k].dynamics->is_algorithm() && (!needs_theory || theory_of(k) < methods_.size()))
          others.push_back(k);
    Pairs pairs;
    for (const auto k : others) {
      if (k == baseline) s_.fail("methods", "expected other methods than the baseline");
      const auto theory = needs_theory ? theory_of(k) : 0;
      if (needs_theory && (theory == methods_.size() || theory == k))
        s_.fail("methods", fmt::format("'{}' has no slow SDE or ODE of its group beside it: expected a [[method]] with "
                                       "a kind such as slow_local_sgd",
                                       methods_[k].name));
      pairs.push_back({own ? theory : baseline, k, theory});
    }
    if (pairs.empty())
      s_.fail("methods", needs_theory ? "expected a discrete algorithm with a slow SDE or ODE of its group beside it"
                                      : "expected a discrete algorithm beside the baseline");
    return pairs;
  }

  Comparison::Ratio ratio() {
    const auto named = numbers_of("ratio");
    if (named.size() != 2)
      s_.fail("ratio", fmt::format("expected two names, the first is divided by the second, got {}", named.size()));
    return {named[0], named[1]};
  }

  /// Whether they are observed is seen when it is measured: of the cells of a sweep one may be, and a run may end
  /// before.
  void read_times(Comparison& c) {
    if (c.expect == Expect::one_curve) c.at_all_times = true;
    const auto* at = s_.table().get("at");
    if (!at) return;
    if (at->is_string()) {
      c.at_all_times = s_.choice({"at", ""}, "end", {"end", "all"}) == "all";
      return;
    }
    if (!at->is_array()) s_.fail("at", "expected \"end\", \"all\", or an array of slow times");
    c.times = s_.numbers({"at", ""});
    if (c.times.empty()) s_.fail("at", "expected \"end\", \"all\", or one slow time or more");
    for (const double t : c.times)
      if (!(t > 0)) s_.expected("at", "slow times above 0", t);
  }

  void read_observables(Comparison& c) {
    c.observables = s_.texts({"observables", ""});
    const auto known = ensemble::observable_names(e_.problem, e_.observation);
    if (c.observables.empty()) c.observables = {"test_error"};
    for (const auto& name : c.observables)
      if (std::find(known.begin(), known.end(), name) == known.end())
        s_.fail("observables", fmt::format("'{}' is not observed: expected one of {}", name, fmt::join(known, ", ")));
  }

  Section& s_;
  const Experiment& e_;
  const std::vector<ensemble::Method>& methods_;
};

}  // namespace

std::vector<Comparison> read_comparisons(Section verify, const Experiment& e) {
  std::vector<Comparison> all;
  for (auto& s : verify.sections("comparison")) all.push_back(ComparisonReader(s, e).read());
  return all;
}

}  // namespace sde::experiment
