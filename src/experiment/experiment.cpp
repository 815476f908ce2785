#include "experiment.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>

#include "sde/manifold/flow_map.hpp"

namespace sde::experiment {

using ensemble::Kind;
using ensemble::Method;

void assign(toml::table& table, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("--set {}: expected key=value, e.g. training.eta=0.01", assignment));
  std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("v = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("v", value);
  }
  toml::node* at = &table;
  std::stringstream parts(key);
  std::string part, last;
  std::vector<std::string> path;
  while (std::getline(parts, part, '.')) path.push_back(part);
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (auto* t = at->as_table()) {
      if (!t->contains(path[i])) t->insert(path[i], toml::table{});
      at = t->get(path[i]);
    } else if (auto* a = at->as_array()) {
      const bool digits =
          !path[i].empty() && path[i].find_first_not_of("0123456789") == std::string::npos && path[i].size() < 6;
      if (!digits || std::stoul(path[i]) >= a->size())
        throw InputError(fmt::format("--set {}: '{}' should be a number from 0 to {}", assignment, path[i],
                                     static_cast<long>(a->size()) - 1));
      at = a->get(std::stoul(path[i]));
    }
  }
  auto* t = at->as_table();
  if (!t) throw InputError(fmt::format("--set {}: '{}' is not inside a table", assignment, path.back()));
  parsed.get("v")->visit([&](auto& v) { t->insert_or_assign(path.back(), v); });
}

namespace {

toml::table parse_file(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file))
    throw InputError(fmt::format("{}: is a folder; expected an experiment file", file.string()));
  std::ifstream in(file);
  if (!in)
    throw InputError(
        fmt::format("{}: cannot be read (expected an experiment file, e.g. experiments/main.toml)", file.string()));
  try {
    return toml::parse(in, file.string());
  } catch (const toml::parse_error& e) {
    throw InputError(
        fmt::format("{}:{}: not valid TOML: {}", file.string(), e.source().begin.line, std::string(e.description())));
  }
}

struct KindEntry {
  Kind kind;
  bool ode;
};
const std::map<std::string, KindEntry>& kinds() {
  static const std::map<std::string, KindEntry> table{
      {"sgd", {Kind::sgd, false}},
      {"local_sgd", {Kind::local_sgd, false}},
      {"post_local_sgd", {Kind::local_sgd, false}},
      {"qsr", {Kind::local_sgd, false}},
      {"conventional_sgd", {Kind::conventional_sgd, false}},
      {"conventional_local_sgd", {Kind::conventional_local_sgd, false}},
      {"slow_sgd", {Kind::slow_sgd, false}},
      {"slow_local_sgd", {Kind::slow_local_sgd, false}},
      {"slow_post_local_sgd", {Kind::slow_local_sgd, false}},
      {"slow_qsr", {Kind::slow_qsr, false}},
      {"slow_ode_sgd", {Kind::slow_sgd, true}},
      {"slow_ode_local_sgd", {Kind::slow_local_sgd, true}},
      {"slow_ode_qsr", {Kind::slow_qsr, true}},
      {"coupled_slow", {Kind::coupled_slow, false}},
  };
  return table;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : kinds()) names.push_back(name);
  return names;
}

discrete::LearningRate read_rate(Section& s, double time) {
  using K = discrete::LearningRate::Kind;
  discrete::LearningRate r;
  r.eta = s.positive({"eta", ""}, 0.01);
  const std::string kind = s.choice({"schedule", ""}, "constant", {"constant", "step", "cosine", "linear"});
  r.kind = kind == "constant" ? K::constant : kind == "step" ? K::step : kind == "cosine" ? K::cosine : K::linear;
  r.warmup = s.integer({"warmup", ""}, 0, 0, 1'000'000'000);
  r.floor = s.non_negative({"floor", ""}, 0.0);
  r.factor = s.positive({"factor", ""}, 0.1);
  r.milestones = s.numbers({"milestones", ""});
  if (r.kind == K::step && r.milestones.empty()) r.milestones = {0.5, 0.75};
  const auto within = [&](const char* key, double value, double low, double high) {
    if (!(value >= low && value <= high))
      s.fail(key, fmt::format("expected a number from {} to {}, got {}", low, high, value));
  };
  within("floor", r.floor, 0, 1);
  within("factor", r.factor, 0, 1);
  for (const double m : r.milestones) within("milestones", m, 0, 1);
  try {
    r.fit_steps(time);
  } catch (const std::invalid_argument& error) {
    s.fail("eta", fmt::format("{}: {}", r.eta, error.what()));
  }
  return r;
}

Method read_method(Section& s, const Experiment& e, long paths, double time) {
  Method m;
  m.kind_name = s.choice({"kind", ""}, "", kind_names());
  const auto entry = kinds().at(m.kind_name);
  m.kind = entry.kind;
  m.ode = entry.ode;
  auto& a = m.algorithm;
  a.seed = static_cast<std::uint64_t>(
      s.integer({"seed", ""}, static_cast<long>(e.seed), 0, std::numeric_limits<long>::max()));
  a.rate = read_rate(s, time);
  const bool sgd = m.kind == Kind::sgd || m.kind == Kind::conventional_sgd || m.kind == Kind::slow_sgd;
  const int workers = static_cast<int>(s.integer({"workers", ""}, 1, 1, 65'535));
  a.batch = static_cast<int>(s.integer({"batch", ""}, workers, 1, 1'000'000'000));
  a.workers = sgd ? 1 : workers;
  if (a.batch % workers != 0)
    s.fail("batch", fmt::format("expected a multiple of workers = {} (batch is the total B = K B_loc), got {}", workers,
                                a.batch));
  a.sync.H = s.integer({"H", ""}, 1, 1, 1'000'000'000);
  const bool qsr = m.kind_name == "qsr" || m.kind == Kind::slow_qsr;
  const std::string sync = s.choice({"sync", ""}, qsr ? "qsr" : "constant", {"constant", "inverse", "qsr"});
  using S = discrete::Synchronization::Kind;
  a.sync.kind = sync == "constant" ? S::constant : sync == "inverse" ? S::inverse : S::qsr;
  if (a.sync.kind != S::constant) {
    a.sync.beta = s.positive({"beta", ""}, m.kind == Kind::slow_qsr ? 0.1 : std::numeric_limits<double>::quiet_NaN());
  } else {
    s.know("beta");
  }
  if (m.kind_name.find("post_local") != std::string::npos) {
    const double at = s.number({"switch", ""}, std::numeric_limits<double>::quiet_NaN());
    if (!(at > 0 && at < 1))
      s.fail("switch", fmt::format("expected the fraction of steps run as SGD, between 0 and 1, got {}", at));
    a.sync.switch_step = std::llround(at * static_cast<double>(a.rate.steps));
  } else {
    s.know("switch");
  }
  a.conventional = m.kind == Kind::conventional_sgd || m.kind == Kind::conventional_local_sgd;
  a.substeps = static_cast<int>(s.integer({"substeps", ""}, 4, 1, 1000));
  m.refined = s.boolean({"refined", ""}, false);
  m.dt = s.positive({"dt", ""}, time / 2000);
  m.integrator = s.choice({"integrator", ""}, "euler_maruyama", {"euler_maruyama", "weak_euler"}) == "weak_euler"
                     ? slow::Integrator::weak_euler
                     : slow::Integrator::euler_maruyama;
  a.two_point = m.integrator == slow::Integrator::weak_euler;
  m.flow_retraction = s.choice({"retraction", ""}, "newton", {"newton", "flow"}) == "flow";
  m.precision =
      s.choice({"precision", ""}, "double", {"double", "float"}) == "float" ? Precision::single : Precision::full;
  m.paths = s.integer({"paths", ""}, m.ode ? 1 : paths, 1, 4'000'000'000L);
  if (m.ode) m.paths = 1;
  if (!sgd && m.kind != Kind::slow_qsr && a.sync.kind == S::constant && a.sync.H == 1 && !s.has("H"))
    s.fail("H", "missing: expected the number of local steps a round");
  const bool post_local = m.kind_name.find("post_local") != std::string::npos;
  m.group = s.text({"group", ""}, sgd             ? "SGD"
                                  : sync == "qsr" ? "QSR"
                                  : sync == "inverse"
                                      ? fmt::format("Local SGD, H = {:g}/eta", a.sync.beta)
                                      : fmt::format("{}ocal SGD, H = {}", post_local ? "Post-l" : "L", a.sync.H));
  m.name = s.text({"name", ""}, m.group + (m.discrete()                   ? ""
                                           : m.ode                        ? " (slow ODE)"
                                           : a.conventional               ? " (conventional SDE)"
                                           : m.kind == Kind::coupled_slow ? " (coupled slow SDEs)"
                                                                          : " (slow SDE)"));
  const double round =
      a.rate.eta * a.rate.eta * static_cast<double>(a.workers == 1 ? 1 : a.sync(a.rate.steps, a.rate.eta));
  if ((m.stepwise() || m.kind == Kind::coupled_slow) && round > time)
    s.fail("H",
           fmt::format("one round lasts H eta^2 = {:.3g} of slow time, longer than the whole run ({})", round, time));
  s.finish();
  return m;
}

void check_problem(const Experiment& e, Section& root) {
  for (const auto& m : e.methods) {
    const bool wor = e.problem.noise.sampling == Sampling::without_replacement;
    const int n = e.problem.model->residual_count();
    if (wor && n > 1 && m.discrete() && n % (m.algorithm.batch / m.algorithm.workers) != 0)
      root.fail("noise",
                fmt::format("sampling without replacement needs a local batch that divides n = {}, '{}' has {}", n,
                            m.name, m.algorithm.batch / m.algorithm.workers));
    if (m.ode) {
      const auto terms = e.problem.terms();
      terms->compute(e.problem.start_on_gamma.data());
      if (terms->tangent_noise().norm() > 1e-9)
        root.fail("method",
                  fmt::format("'{}' is a slow ODE, but this noise diffuses along Gamma: expected kind = \"{}\"", m.name,
                              "slow" + m.kind_name.substr(std::string("slow_ode").size())));
    }
  }
}

}  // namespace

Experiment load(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  toml::table table = parse_file(file);
  for (const auto& o : overrides) assign(table, o);
  Experiment e;
  e.name = file.stem().string();
  std::ostringstream source;
  source << table;
  e.source = source.str();

  Section root(table, "");
  e.title = root.text({"title", ""}, e.name);
  Section run = root.section("experiment");
  e.seed = static_cast<std::uint64_t>(run.integer({"seed", ""}, 1, 0, std::numeric_limits<long>::max()));
  const long paths = run.integer({"paths", ""}, 128, 1, 4'000'000'000L);
  const double time = run.positive({"time", ""}, 1.0);
  const long observations = run.integer({"observations", ""}, 50, 1, 100'000);
  e.max_lost = run.non_negative({"max_lost", ""}, 0.01);
  if (e.max_lost > 1) run.fail("max_lost", fmt::format("expected a share from 0 to 1, got {}", e.max_lost));

  Section loss = root.section("loss");
  e.loss_name = loss.table()["name"].value_or(std::string());
  auto named = make_loss(loss);
  e.problem.model = named.model;
  const int d = named.model->dim();
  e.problem.noise = read_noise(root.sections("noise"), *named.model);
  std::ostringstream noise_text;
  if (const auto* n = table.get("noise")) n->visit([&](const auto& v) { noise_text << v; });
  e.noise_text = noise_text.str();

  Section start = root.section("start");
  const auto at = start.numbers({"at", ""});
  if (!at.empty() && static_cast<int>(at.size()) != d)
    start.fail("at", fmt::format("expected {} coordinates, got {}", d, at.size()));
  e.problem.start = at.empty() ? named.start : Eigen::Map<const slow::Vector>(at.data(), d);
  start.finish();
  try {
    e.problem.settle();
  } catch (const manifold::FlowError& error) {
    start.fail("at", fmt::format("no point of Gamma belongs to this start: {}", error.what()));
  }

  for (long j = 0; j <= observations; ++j)
    e.observation.times.push_back(time * static_cast<double>(j) / static_cast<double>(observations));
  for (const auto& text : run.texts({"observe", ""})) {
    try {
      auto polynomial = ensemble::Polynomial::parse(text, d);
      for (const auto& other : e.observation.polynomials)
        if (other.text == polynomial.text) run.fail("observe", fmt::format("'{}' is listed twice", text));
      e.observation.polynomials.push_back(std::move(polynomial));
    } catch (const std::invalid_argument& error) {
      run.fail("observe", error.what());
    }
  }
  e.observation.components = static_cast<int>(run.integer({"components", ""}, std::min(d, 4), 0, d));
  run.finish();

  e.verify = read_verify(root.section("verify"));
  const Section training = root.section("training");
  auto methods = root.sections("method");
  if (methods.empty()) root.fail("method", "missing: expected at least one [[method]] with a kind");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    Section s(methods[i], training);  // every key of [training] may be overridden in a method
    e.methods.push_back(read_method(s, e, paths, time));
    for (std::size_t j = 0; j < i; ++j)
      if (e.methods[j].name == e.methods[i].name)
        s.fail("name", fmt::format("'{}' names two methods", e.methods[i].name));
  }
  root.finish();
  check_problem(e, root);
  return e;
}

}  // namespace sde::experiment
