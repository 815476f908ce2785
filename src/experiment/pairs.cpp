#include "pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sde/model/dense_geometry.hpp"

namespace sde::experiment {

namespace {

using ensemble::Method;

std::vector<std::size_t> theory_of(const Experiment& e, const Method& algorithm) {
  std::vector<std::size_t> theory;
  for (std::size_t i = 0; i < e.methods.size(); ++i)
    if (e.methods[i].dynamics->takes_limit() && e.methods[i].group == algorithm.group) theory.push_back(i);
  return theory;
}

/// Why there is no common noise; empty where there is.
std::string why_not(const Experiment& e, const Method& m) {
  if (!m.algorithm.steady()) return "its learning rate or its rounds change: pairs on common noise have constant ones";
  const auto& p = e.problem;
  try {
    ensemble::check_slow_sde(p, m.algorithm.workers);
    const auto slow = slow::slow_kernel(*p.model, p.noise, p.interpolating);
    (void)p.model->recording_kernel(p.noise, m.dynamics->algorithm(m), slow->innovations());
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

std::vector<verify::TestFunction> functions(const Experiment& e) {
  std::vector<verify::TestFunction> all{
      verify::sharpness(), {.name = "lambda_max", .value = [](const slow::Vector&, const slow::PointTerms& terms) {
                              return terms.lambda_max();
                            }}};
  if (e.problem.model->has_test_error())
    all.push_back(
        {.name = "test_error", .value = [model = e.problem.model](const slow::Vector& x, const slow::PointTerms&) {
           return model->test_error(x.data());
         }});
  for (const auto& polynomial : e.observation.polynomials)
    all.push_back({.name = polynomial.text, .value = [polynomial](const slow::Vector& x, const slow::PointTerms&) {
                     return polynomial(x.data());
                   }});
  return all;
}

verify::Prediction prediction(const Method& m) {
  verify::Prediction p{m.name, m.dynamics->parameters(m, 0)};
  if (m.refined) p.parameters.eta = m.algorithm.rate.eta;
  return p;
}

/// The pair of an algorithm, with its times: whole double steps of the SDEs, each but once.
Pair pair_of(const Experiment& e, std::size_t number, std::vector<std::size_t> theory) {
  const auto& times = e.observation.times;
  const auto& m = e.methods[number];
  const auto a = m.dynamics->algorithm(m);
  const double round = static_cast<double>(a.steps_in_round()) * a.slow_time(a.rate.eta);
  double dt = 0.5 * times.back() / static_cast<double>(times.size() - 1);
  Pair pair{number, std::move(theory), {}, std::vector<long>(times.size(), -1)};
  auto& p = pair.pairing;
  for (const auto i : pair.theory) {
    p.predictions.push_back(prediction(e.methods[i]));
    dt = std::min(dt, e.methods[i].dt);
  }
  dt = round * std::max(1.0, std::floor(dt / round + 1e-9));
  p.algorithm = a;
  p.dt = dt;
  p.functions = functions(e);
  p.paths = std::min(m.paths, e.pairs);
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double t = 2 * dt * std::round(times[i] / (2 * dt));
    if (t <= (p.times.empty() ? 0 : p.times.back() + dt)) continue;
    pair.place[i] = static_cast<long>(p.times.size());
    p.times.push_back(t);
  }
  return pair;
}

}  // namespace

PairPlan plan_pairs(const Experiment& e) {
  PairPlan plan;
  if (e.pairs == 0) return plan;
  for (std::size_t i = 0; i < e.methods.size(); ++i) {
    const auto& m = e.methods[i];
    if (!m.dynamics->is_algorithm()) continue;
    auto theory = theory_of(e, m);
    if (theory.empty()) continue;
    auto why = why_not(e, m);
    Pair pair;
    if (why.empty()) {
      pair = pair_of(e, i, std::move(theory));
      if (pair.pairing.times.empty()) why = "the whole run is shorter than two of its rounds";
    }
    if (why.empty())
      plan.pairs.push_back(std::move(pair));
    else
      plan.others.push_back({m.name, std::move(why)});
  }
  return plan;
}

std::vector<std::string> pair_observables(const Experiment& e) {
  std::vector<std::string> names;
  for (const auto& g : functions(e)) names.push_back(g.name);
  names.front() = "trace_hessian";
  return names;
}

Difference difference(const Pair& pair, const verify::PairedResult& r, std::size_t theory, std::size_t observation,
                      std::size_t observable) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (observation == 0) return {0, 0, 0, 0};
  const long t = pair.place[observation];
  if (t < 0) return {kNone, kNone, kNone, kNone};
  const auto row = static_cast<std::size_t>(t);
  const auto& gap = r.gap[theory][row][observable];
  if (gap.n == 0) return {r.slow_time[row], kNone, kNone, kNone};
  return {r.slow_time[row], gap.mean, r.paths == 1 ? 0.0 : gap.standard_error(),
          r.step_error[theory][row][observable].mean};
}

}  // namespace sde::experiment
