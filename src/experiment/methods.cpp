#include "methods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sde/discrete/algorithms.hpp"
#include "sde/ensemble/terms_at_start.hpp"

namespace sde::experiment {

using ensemble::Method;

const std::map<std::string, MethodKind>& method_kinds() {
  static const auto table = [] {
    std::map<std::string, MethodKind> all;
    for (const auto* dynamics : ensemble::all_dynamics())
      for (const auto* type : discrete::Algorithms::all())
        if (const auto kind = dynamics->kind(*type); !kind.empty()) all[kind] = {dynamics, type};
    return all;
  }();
  return table;
}

namespace {

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : method_kinds()) names.push_back(name);
  return names;
}

discrete::LearningRate read_rate(Keys& keys) {
  using K = discrete::LearningRate::Kind;
  discrete::LearningRate r;
  r.eta = keys.positive({"eta", "peak learning rate"}, 0.01);
  const auto kind =
      keys.choice({"schedule", "of the learning rate"}, "constant", {"constant", "step", "cosine", "linear"});
  r.kind = kind == "constant" ? K::constant : kind == "step" ? K::step : kind == "cosine" ? K::cosine : K::linear;
  r.warmup = keys.integer({"warmup", "steps of a linear warm-up from 0"}, 0, 0, 1'000'000'000);
  r.floor = keys.between({"floor", "of cosine and linear: the last rate over eta"}, 0.0, 0, 1);
  r.factor = keys.between({"factor", "of step: by which the rate falls at a milestone"}, 0.1, 0, 1);
  if (!(r.factor > 0)) keys.fail("factor", fmt::format("expected a number above 0, got {}", r.factor));
  r.milestones = keys.numbers({"milestones", "of step: fractions of all steps"});
  for (const double m : r.milestones)
    if (!(m >= 0 && m <= 1)) keys.fail("milestones", fmt::format("expected numbers from 0 to 1, got {}", m));
  if (r.kind == K::step && r.milestones.empty()) r.milestones = {0.5, 0.75};
  return r;
}

/// What all algorithms have.
void read_common(RecordedKeys& keys, discrete::Algorithm& a, std::uint64_t seed) {
  keys.belong_to(KeyValue::Of::row);  // theory and algorithm of one setting may have seeds of their own
  a.seed = static_cast<std::uint64_t>(keys.integer({"seed", "of the random numbers (default: the experiment's)"},
                                                   static_cast<long>(seed), 0, std::numeric_limits<long>::max()));
  keys.belong_to(KeyValue::Of::algorithm);
  a.rate = read_rate(keys);
  a.workers = static_cast<int>(keys.integer({"workers", "K"}, 1, 1, 65'535));
  a.batch =
      static_cast<int>(keys.integer({"batch", "total batch B = K B_loc (default: K)"}, a.workers, 1, 1'000'000'000));
  if (a.batch % a.workers != 0)
    keys.fail("batch", fmt::format("expected a multiple of workers = {} (batch is the total B = K B_loc), got {}",
                                   a.workers, a.batch));
}

void read_rest(Keys& keys, Method& m, long paths) {
  m.precision = keys.choice({"precision", "numbers of the steps; observations are in double"}, "double",
                            {"double", "float"}) == "float"
                    ? Precision::single
                    : Precision::full;
  m.paths = keys.integer({"paths", "paths of this method (default: the experiment's)"},
                         m.dynamics->one_path() ? 1 : paths, 1, 4'000'000'000L);
  if (m.dynamics->one_path()) m.paths = 1;
}

void set_noise(const Section& s, const ensemble::Problem& p, discrete::Algorithm& a) {
  try {
    ensemble::set_noise(p, a);
  } catch (const InputError& e) {
    s.fail("kind", e.what());
  }
}

/// The number of steps that reaches `time`.
void fit_steps(const Section& s, discrete::Algorithm& a, double time) {
  try {
    a.rate.fit_steps(time / a.type->slow_time_factor(a));
    a.type->set_steps(a);
  } catch (const std::invalid_argument& error) {
    const bool in_time = time <= a.slow_time(a.rate.eta) * discrete::LearningRate::kMostChanging;
    if (in_time && a.rate.warmup > 0) s.fail("warmup", fmt::format("{}: {}", a.rate.warmup, error.what()));
    s.fail("eta", fmt::format("{}: {}", a.rate.eta, error.what()));
  }
}

/// Refuses a step, or a round, that is longer than the whole run: the key that makes it so long is blamed.
void check_round(const Section& s, const Method& m, double time) {
  if (!m.dynamics->in_rounds()) return;
  const auto& a = m.algorithm;
  constexpr double kRounding = 1 + 1e-9;
  const double step = a.slow_time(a.rate.eta);
  if (step > time * kRounding)
    s.fail("eta", fmt::format("one step lasts {:.3g} of slow time, longer than the whole run (experiment.time = {}): "
                              "expected at most {:.3g}",
                              step, time, std::sqrt(time / a.type->slow_time_factor(a))));
  const std::int64_t H = a.peak_steps_in_round();
  const double round = step * static_cast<double>(H);
  if (round > time * kRounding)
    s.fail(H == a.sync.H ? "H" : "beta",
           fmt::format("one round lasts H eta^2 = {:.3g} of slow time (H = {}), longer than the whole run "
                       "(experiment.time = {})",
                       round, H, time));
}

/// Refuses a step of a slow SDE of which a run takes too many.
void check_step(const Section& s, const Method& m, double time) {
  constexpr double kMost = discrete::LearningRate::kMostSteps;
  if (s.reads("dt") && !(time / m.dt <= kMost))
    s.fail("dt", fmt::format("{}: {:.3g} steps, more than the {:.3g} that are allowed: expected at least {:.3g}", m.dt,
                             time / m.dt, kMost, time / kMost));
}

}  // namespace

const std::vector<KeyDescription>& method_keys() {
  static const auto keys = [] {
    Defaults defaults;
    Method m;
    RecordedKeys common(defaults);
    read_common(common, m.algorithm, 1);
    for (const auto* type : discrete::Algorithms::all()) type->read(defaults, m.algorithm, true);
    for (const auto* dynamics : ensemble::all_dynamics()) dynamics->read(defaults, m, 1);
    read_rest(defaults, m, 128);
    std::vector<KeyDescription> once;
    for (auto& key : defaults.asked)
      if (std::none_of(once.begin(), once.end(), [&](const auto& k) { return k.name == key.name; }))
        once.push_back(std::move(key));
    return once;
  }();
  return keys;
}

discrete::Algorithm read_algorithm(Section& s) {
  std::vector<std::string> names;
  for (const auto* type : discrete::Algorithms::all()) names.emplace_back(type->name());
  for (const auto& key : method_keys()) s.know(key.name);
  const auto kind = s.choice({"kind", "the algorithm"}, "", names);
  discrete::Algorithm a;
  a.type = method_kinds().at(kind).type;
  RecordedKeys keys(s);
  read_common(keys, a, 1);
  keys.belong_to(KeyValue::Of::type);
  a.type->read(keys, a, true);
  s.finish();
  return a;
}

std::pair<Method, KeyValues> read_method(Section& s, const Experiment& e, long paths, double time) {
  for (const auto& key : method_keys()) s.know(key.name);
  const auto kind = method_kinds().at(s.choice({"kind", "what is run"}, "", kind_names()));
  Method m;
  m.dynamics = kind.dynamics;
  auto& a = m.algorithm;
  a.type = kind.type;
  RecordedKeys keys(s);
  read_common(keys, a, e.seed);
  const int workers = a.workers;
  keys.belong_to(KeyValue::Of::type);
  a.type->read(keys, a, m.dynamics->on_gamma());
  set_noise(s, e.problem, a);
  fit_steps(s, a, time);
  if (std::isinf(m.dynamics->parameters(m, 0).alpha)) keys.forget_defaults_of_type();
  keys.belong_to(KeyValue::Of::row);
  m.dynamics->read(keys, m, time);
  read_rest(keys, m, paths);
  if (a.workers != workers) keys.forget("workers");  // SGD has one
  if (m.dynamics->one_path()) keys.forget("paths");
  m.group = s.text({"group", "setting: theory and algorithm of one setting share it"}, "");
  m.name = s.text({"name", "in tables and figures"}, "");
  check_round(s, m, time);
  check_step(s, m, time);
  s.finish();
  return {m, keys.values};
}

}  // namespace sde::experiment
