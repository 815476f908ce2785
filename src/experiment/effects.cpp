#include "effects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "methods.hpp"

namespace sde::experiment {

namespace {

using ensemble::Method;

/// Why a key that a method asks for changes nothing in it; empty where it does.
std::string why_idle(const Section& s, const Method& m, const std::string& key) {
  using K = discrete::LearningRate::Kind;
  const auto& a = m.algorithm;
  const auto kind = a.rate.kind;
  if ((key == "factor" || key == "milestones") && kind != K::step) return "it belongs to schedule = \"step\"";
  if (key == "floor" && kind != K::cosine && kind != K::linear)
    return "it belongs to schedule = \"cosine\" and \"linear\"";
  if (m.dynamics->one_path() && (key == "paths" || key == "seed" || key == "precision"))
    return "an ODE has one path, without random numbers, in double";
  if (key == "workers" && a.workers == 1 && s.has("batch")) return "SGD takes the whole batch in one gradient";
  const bool no_rounds = a.workers == 1 && !a.round(0).synchronizes;  // Lookahead's one worker has them
  if (no_rounds && (key == "H" || key == "sync" || key == "beta")) return "one worker has no rounds";
  return "";
}

/// " (slow_sgd, slow_qsr, ... do)": some of the kinds that ask for a key with their default settings.
std::string kinds_that_read(const std::string& key) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> names;
  for (const auto& [name, kind] : method_kinds()) {
    Defaults defaults;
    Method m;
    m.dynamics = kind.dynamics;
    m.algorithm.type = kind.type;
    kind.type->read(defaults, m.algorithm, true);  // true: it refuses nothing that is missing
    kind.dynamics->read(defaults, m, 1);
    if (std::any_of(defaults.asked.begin(), defaults.asked.end(), [&](const auto& k) { return k.name == key; }))
      names.push_back(name);
  }
  if (names.empty()) return "";
  if (names.size() > kMost) {
    names.resize(kMost);
    names.emplace_back("...");
  }
  return fmt::format(" ({} do)", fmt::join(names, ", "));
}

}  // namespace

void Effects::add(const Section& method, const Method& m) {
  ++methods_;
  for (const char* key : {"paths", "seed"})
    if (method.has(key) || m.dynamics->one_path()) ++own_[key];
  for (const auto& [k, node] : method.table()) {
    const std::string key(k.str());
    const bool has_effect = method.reads(key) && why_idle(method, m, key).empty();
    if (method.place(key) == kCommandLine) {
      ++of_line_[key].methods;
      of_line_[key].has_effect |= has_effect;
    }
    if (!method.reads(key))
      note(method, key, fmt::format("a method of kind {} does not read it{}", m.kind(), kinds_that_read(key)));
    else if (const auto why = why_idle(method, m, key); !why.empty())
      note(method, key, why);
  }
  for (const auto& [k, node] : training_.table()) {
    const std::string key(k.str());
    if (!method.reads(key)) continue;
    auto& use = uses_[key];
    if (method.table().contains(key))
      use.replaced = true;
    else if (const auto why = why_idle(method, m, key); !why.empty())
      use.why_not = why;
    else
      use.has_effect = true;
  }
}

void Effects::note(const Section& section, const std::string& key, const std::string& why) {
  for (auto& n : notes_)
    if (n.key == key && n.why == why) {
      n.names.push_back(section.name(key));
      return;
    }
  notes_.push_back({section.place(key), {section.name(key)}, key, why});
}

void Effects::finish(const Section& run) {
  // --set method.*.H=10 means the methods that have one.
  std::erase_if(notes_, [&](const Note& n) {
    const auto& line = of_line_[n.key];
    return n.place == kCommandLine && line.has_effect && line.methods == methods_;
  });
  for (const auto& [k, node] : training_.table()) {
    const std::string key(k.str());
    const Use use = uses_[key];
    if (use.has_effect) continue;
    note(training_, key,
         use.replaced          ? "every method that reads it has its own (method.0." + key + ", counted from 0)"
         : use.why_not.empty() ? "no method of this file reads it" + kinds_that_read(key)
                               : use.why_not);
  }
  for (const auto& [key, count] : own_)
    if (run.has(key) && count == methods_)
      note(run, key, fmt::format("every method has its own (training.{0} or method.0.{0}), or none", key));
}

std::vector<std::string> Effects::notes() const {
  std::vector<std::string> texts;
  for (const auto& n : notes_)
    texts.push_back(fmt::format("{}: {} {} no effect: {}", n.place, fmt::join(n.names, ", "),
                                n.names.size() > 1 ? "have" : "has", n.why));
  return texts;
}

}  // namespace sde::experiment
