#include "pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sde/model/dense_geometry.hpp"

namespace sde::experiment {

using ensemble::Method;

std::vector<std::size_t> slow_sdes_beside(const Experiment& e, const Method& algorithm) {
  std::vector<std::size_t> theory;
  for (std::size_t i = 0; i < e.methods.size(); ++i)
    if (e.methods[i].dynamics->takes_limit() && e.methods[i].group == algorithm.group) theory.push_back(i);
  return theory;
}

namespace {

/// Why there is no common noise; empty where there is.
std::string why_not(const Experiment& e, const Method& m) {
  const auto& p = e.problem;
  try {
    ensemble::check_slow_sde(p, m.algorithm.workers);
    (void)m.algorithm.type->metric(m.algorithm);
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
  for (const auto& power : e.observation.diagonal_powers)
    all.push_back({.name = power.text,
                   .value = [power, model = e.problem.model, on_gamma = e.problem.interpolating](
                                const slow::Vector& x, const slow::PointTerms&) {
                     return power(ensemble::hessian_diagonal(*model, x.data(), on_gamma));
                   }});
  return all;
}

/// The method must outlive it.
verify::Prediction prediction(const Method& m) {
  const auto at = [&m](std::int64_t k) {
    auto p = m.dynamics->parameters(m, k);
    if (m.refined) p.refine(m.algorithm.rate(k));
    return p;
  };
  return {.name = m.name, .parameters = at(0), .at = at, .metric = m.algorithm.type->metric(m.algorithm)};
}

/// The largest step of at most dt, in whole rounds, of which observations `spacing` apart are whole double steps; dt
/// where there is none.
double fitting_step(double dt, double spacing, double round) {
  const double rounds = spacing / (2 * round), whole = std::round(rounds);
  if (whole < 1 || std::abs(rounds - whole) > 1e-9 * whole) return dt;
  for (auto m = static_cast<long>(std::min(whole, std::floor(dt / round + 1e-9))); m > 0; --m)
    if (static_cast<long>(whole) % m == 0) return static_cast<double>(m) * round;
  return dt;
}

/// The pair of an algorithm, with its times: ends of double steps of the SDEs, each but once.
Pair pair_of(const Experiment& e, std::size_t number, std::vector<std::size_t> theory) {
  const auto& times = e.observation.times;
  const auto& m = e.methods[number];
  Pair pair{number, std::move(theory), {}, std::vector<long>(times.size(), -1)};
  auto& p = pair.pairing;
  p.algorithm = m.dynamics->algorithm(m);
  const double spacing = times.back() / static_cast<double>(times.size() - 1);
  p.dt = 0.5 * spacing;
  for (const auto i : pair.theory) {
    p.predictions.push_back(prediction(e.methods[i]));
    p.dt = std::min(p.dt, e.methods[i].dt);
  }
  const auto& a = p.algorithm;
  if (a.steady()) p.dt = fitting_step(p.dt, spacing, static_cast<double>(a.steps_in_round()) * a.slow_time(a.rate.eta));
  p.functions = functions(e);
  p.paths = std::min(m.paths, e.pairs);
  auto asked = p;
  asked.times = times;
  const auto met = verify::paired_times(asked);  // of the start: the first double step's end
  const double end = times.back() * (1 + 1e-9);
  for (std::size_t i = 1; i < met.size(); ++i) {
    // Double steps that are all alike may end beyond the run: then the last one within it.
    const double t = met[i] <= end ? met[i] : met[0] * std::floor(end / met[0]);
    if (t <= (p.times.empty() ? 0 : p.times.back() * (1 + 1e-12))) continue;
    pair.place[i] = static_cast<long>(p.times.size());
    p.times.push_back(t);
  }
  if (p.times.empty()) throw std::invalid_argument("the run is shorter than two rounds");
  return pair;
}

}  // namespace

PairPlan plan_pairs(const Experiment& e) {
  PairPlan plan;
  if (e.pairs == 0) return plan;
  for (std::size_t i = 0; i < e.methods.size(); ++i) {
    const auto& m = e.methods[i];
    if (!m.dynamics->is_algorithm()) continue;
    auto theory = slow_sdes_beside(e, m);
    if (theory.empty()) continue;
    auto why = why_not(e, m);
    if (!why.empty()) {
      plan.others.push_back({m.name, std::move(why)});
      continue;
    }
    try {
      plan.pairs.push_back(pair_of(e, i, std::move(theory)));
    } catch (const std::invalid_argument& error) {
      plan.others.push_back({m.name, error.what()});
    }
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
