#include "experiment.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "effects.hpp"
#include "method_names.hpp"
#include "methods.hpp"
#include "observing.hpp"
#include "reading.hpp"
#include "registry.hpp"
#include "sde/manifold/flow_map.hpp"

namespace sde::experiment {

namespace {

/// Numbers of one path, of all its observables and times, are kept in memory for each.
constexpr long kMostSavedPaths = 100'000;

/// Loss, noise and start.
void read_problem(Section& root, Experiment& e) {
  Section loss = root.section("loss");
  auto named = make_loss(loss);
  e.loss_name = named.name;
  e.notes = named.notes;
  e.problem.model = named.model;
  const int d = named.model->dim();
  e.problem.noise = read_noise(root.sections("noise"), *named.model);
  std::ostringstream noise_text;
  if (const auto* n = root.table().get("noise")) n->visit([&](const auto& v) { noise_text << v; });
  e.noise_text = noise_text.str();

  Section start = root.section("start");
  const auto at = start.numbers({"at", "where the algorithms start; the slow SDEs at its Phi"});
  if (!at.empty() && static_cast<int>(at.size()) != d)
    start.fail("at", fmt::format("expected {} coordinates, got {}", d, at.size()));
  e.problem.start = at.empty() ? named.start : Eigen::Map<const slow::Vector>(at.data(), d);
  const bool on_gamma = start.boolean({"on_gamma", "the algorithms start at Phi of it, too"}, false);
  start.finish();
  if (e.problem.start.size() == 0) start.fail("at", "missing: this loss has no start of its own");
  if (const auto where = named.model->not_finite(e.problem.start.data()); !where.empty())
    start.fail("at", fmt::format("the loss is not finite at the start: {}", where));
  try {
    e.problem.project_start();
    if (on_gamma) e.problem.start = e.problem.start_on_gamma;
  } catch (const manifold::FlowError& error) {
    start.fail("at", fmt::format("no point of Gamma belongs to this start: {}", error.what()));
  }
}

void read_observation(Section& run, double time, const LossModel& model, ensemble::Observation& o) {
  const int d = model.dim(), components = model.at_points() ? 0 : d;
  const long observations =
      run.integer({"observations", "intervals of slow time between observations"}, 50, 1, 100'000);
  for (long j = 0; j <= observations; ++j)
    o.times.push_back(time * static_cast<double>(j) / static_cast<double>(observations));
  for (const auto& text :
       run.texts({"observe", "polynomials of the coordinates of Phi(theta); tr diag(Hess)^q there"})) {
    try {
      if (auto power = ensemble::DiagonalPower::parse(text)) {
        for (const auto& other : o.diagonal_powers)
          if (other.power == power->power) run.fail("observe", fmt::format("'{}' is listed twice", text));
        o.diagonal_powers.push_back(std::move(*power));
        continue;
      }
      auto polynomial = ensemble::Polynomial::parse(text, d);
      for (const auto& other : o.polynomials)
        if (other.text == polynomial.text) run.fail("observe", fmt::format("'{}' is listed twice", text));
      o.polynomials.push_back(std::move(polynomial));
    } catch (const std::invalid_argument& error) {
      run.fail("observe", error.what());
    }
  }
  o.components =
      static_cast<int>(run.integer({"components", "first coordinates whose drift and diffusion are recorded"},
                                   std::min(components, 4), 0, components));
  if (model.at_points() && !o.polynomials.empty())
    run.fail("observe", "polynomials are of Phi(theta), and a network has none here: expected none");
  o.save_paths =
      run.integer({"save_paths", "first paths whose observables are kept one by one"}, 0, 0, kMostSavedPaths);
}

void read_methods(Section& root, const Section& run, long paths, double time, Experiment& e) {
  const Section training = root.section("training");
  auto methods = root.sections("method");
  if (methods.empty()) root.fail("method", "missing: expected at least one [[method]] with a kind");
  Effects effects(training);
  for (const auto& table : methods) {
    Section s(table, training);  // every key of [training] may be overridden in a method
    auto [method, settings] = read_method(s, e, paths, time);
    e.methods.push_back(std::move(method));
    e.settings.push_back(std::move(settings));
    effects.add(s, e.methods.back());
  }
  effects.finish(run);
  for (const auto& note : effects.notes()) e.notes.push_back(note);
  name_methods(e.methods, e.settings);
  for (std::size_t i = 0; i < methods.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (e.methods[j].name == e.methods[i].name)
        methods[i].fail("name", fmt::format("'{}' names two methods", e.methods[i].name));
}

}  // namespace

FileText read_text(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file))
    throw InputError(fmt::format("{}: is a folder; expected an experiment file", file.string()));
  std::ifstream in(file);
  if (!in)
    throw InputError(fmt::format("{}: cannot be read (expected an experiment file, e.g. experiments/main.toml)",
                                 file.empty() ? "''" : file.string()));
  std::ostringstream text;
  text << in.rdbuf();
  return {file, text.str()};
}

toml::table parse(const FileText& file) {
  try {
    auto table = toml::parse(file.text, file.path.string());
    if (table.empty())
      throw InputError(
          fmt::format("{}: has no keys; expected an experiment file, e.g. experiments/main.toml", file.path.string()));
    return table;
  } catch (const toml::parse_error& e) {
    throw InputError(fmt::format("{}:{}: not valid TOML: {}", file.path.string(), e.source().begin.line,
                                 std::string(e.description())));
  }
}

Experiment load(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return load(read_text(file), overrides);
}

Experiment load(const FileText& file, const std::vector<std::string>& overrides) {
  toml::table table = parse(file);
  for (const auto& o : overrides) assign(table, o);
  Experiment e;
  e.swept = table.erase("sweep") > 0;
  e.file = file.path.string();
  e.name = file.path.stem().string();
  std::ostringstream source;
  source << table;
  e.source = source.str();

  Section root(table, "", file.path.string());
  e.title = root.text({"title", "of the figure"}, e.name);
  Section run = root.section("experiment");
  e.seed = static_cast<std::uint64_t>(
      run.integer({"seed", "of the random numbers"}, 1, 0, std::numeric_limits<long>::max()));
  const long paths = run.integer({"paths", "of each method"}, 128, 1, 4'000'000'000L);
  e.pairs = run.integer(
      {"pairs", "paths on common noise of each algorithm beside its slow SDE (default: paths, at most 128); 0: none"},
      std::min(paths, 128L), 0, 4'000'000'000L);
  const double time = run.positive({"time", "slow time: eta^2 times the local steps"}, 1.0);
  constexpr double kLongest = discrete::LearningRate::kMostSteps;
  if (time > kLongest)
    run.expected("time", fmt::format("at most {:g}, as many steps as are allowed, at eta = 1", kLongest), time);
  e.max_lost = run.between({"max_lost", "share of lost paths above which the run fails"}, 0.01, 0, 1);
  read_problem(root, e);
  read_observation(run, time, *e.problem.model, e.observation);
  run.finish();
  e.verify = read_verify(root.section("verify"));
  read_methods(root, run, paths, time, e);
  e.comparisons = read_comparisons(root.section("verify"), e);
  root.finish();
  for (const auto& m : e.methods) {
    try {
      ensemble::check(e.problem, m);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}", file.path.string(), error.what()));
    }
  }
  set_times(e);
  return e;
}

ensemble::Observation observation_of(const Experiment& e, std::size_t method) {
  auto o = e.observation;
  o.times = e.times.at(method);
  return o;
}

}  // namespace sde::experiment
