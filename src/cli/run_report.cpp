#include "run_report.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sde::cli {

namespace {

std::string interval(const stats::Moments& m, long paths) {
  if (m.n == 0) return fmt::format("{:>10}            ", "no path left");
  if (paths == 1) return fmt::format("{:10.5f}            ", m.mean);
  return fmt::format("{:10.5f} +- {:.5f}", m.mean, 1.96 * m.standard_error());
}

/// The last observation at which a pair was compared.
std::size_t last_place(const experiment::Pair& pair) {
  auto t = pair.place.size() - 1;
  while (t > 0 && pair.place[t] < 0) --t;
  return t;
}

void print_pairs(const experiment::Experiment& e, const experiment::PairResults& paired) {
  if (paired.pairs.empty()) return;
  const auto names = experiment::pair_observables(e);
  std::vector<std::size_t> columns{0};  // tr Hess, and the first polynomials
  for (std::size_t q = names.size() - e.observation.polynomials.size(); q < names.size() && columns.size() < 3; ++q)
    columns.push_back(q);
  std::size_t width = 6;
  for (const auto& m : e.methods) width = std::max(width, m.name.size());
  fmt::print("\nalgorithm - slow SDE on common noise, at the end\n{:<{}}  {:>10}", "method", width, "slow time");
  for (const auto q : columns) fmt::print("  {:<23}", q == 0 ? " tr Hess" : " " + names[q]);
  fmt::print("  {:>6} {:>5}\n", "paths", "lost");
  for (std::size_t i = 0; i < paired.pairs.size(); ++i) {
    const auto& pair = paired.pairs[i];
    const auto& r = paired.results[i];
    const auto t = last_place(pair);
    for (std::size_t p = 0; p < pair.theory.size(); ++p) {
      const auto& name = e.methods[pair.theory.size() == 1 ? pair.algorithm : pair.theory[p]].name;
      fmt::print("{:<{}}  {:>10.5g}", name, width, difference(pair, r, p, t, 0).slow_time);
      for (const auto q : columns) {
        const auto x = difference(pair, r, p, t, q);
        fmt::print("  {:<23}", fmt::format("{:10.2g} +- {:.2g}", x.mean, 1.96 * x.standard_error));
      }
      fmt::print("  {:>6} {:>5}\n", r.paths, r.lost);
    }
  }
}

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(nullptr); }

nlohmann::json pairs_json(const experiment::Experiment& e, const experiment::PairResults& paired) {
  auto all = nlohmann::json::array();
  const auto names = experiment::pair_observables(e);
  for (std::size_t i = 0; i < paired.pairs.size(); ++i) {
    const auto& pair = paired.pairs[i];
    const auto& r = paired.results[i];
    for (std::size_t p = 0; p < pair.theory.size(); ++p) {
      const auto t = last_place(pair);
      nlohmann::json j{{"algorithm", e.methods[pair.algorithm].name},
                       {"theory", e.methods[pair.theory[p]].name},
                       {"slow_time", difference(pair, r, p, t, 0).slow_time},
                       {"paths", r.paths},
                       {"lost", r.lost},
                       {"gradient_evaluations", r.gradients},
                       {"difference", nlohmann::json::object()}};
      for (std::size_t q = 0; q < names.size(); ++q) {
        const auto x = difference(pair, r, p, t, q);
        j["difference"][names[q]] = {{"mean", number(x.mean)},
                                     {"standard_error", number(x.standard_error)},
                                     {"time_step_error", number(x.step_error)}};
      }
      all.push_back(std::move(j));
    }
  }
  return all;
}

}  // namespace

void print_table(const experiment::Experiment& e, const std::vector<ensemble::MethodResult>& results,
                 const experiment::PairResults& paired) {
  std::size_t width = 6;
  for (const auto& m : e.methods) width = std::max(width, m.name.size());
  fmt::print("{}\n{} | paths with 95% intervals | slow time {}\n\n", e.title, e.loss_name, e.observation.times.back());
  fmt::print("{:<{}}  {:>6} {:>7}  {:<23}  {:<23}  {:>6} {:>5}\n", "method", width, "H", "alpha", " tr Hess, start",
             " tr Hess, end", "paths", "lost");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    const auto& a = e.methods[i].algorithm;
    const bool limit = std::isinf(e.methods[i].dynamics->parameters(e.methods[i], a.rate.steps).alpha);
    const auto H = a.peak_steps_in_round();
    fmt::print("{:<{}}  {:>6} {:>7}  {}  {}  {:>6} {:>5}\n", e.methods[i].name, width,
               limit ? "inf" : fmt::format("{}", H),
               limit ? "inf" : fmt::format("{:.3g}", a.rate.eta * static_cast<double>(H)),
               interval(r.at(0, "trace_hessian"), r.paths),
               interval(r.at(r.values.size() - 1, "trace_hessian"), r.paths), r.paths, r.lost);
  }
  print_pairs(e, paired);
}

nlohmann::json summary(const experiment::Experiment& e, const std::vector<ensemble::MethodResult>& results,
                       const experiment::PairResults& paired, const std::string& dataset) {
  nlohmann::json j{{"title", e.title}, {"dataset", dataset}, {"seed", e.seed}, {"methods", nlohmann::json::array()}};
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    nlohmann::json m{{"name", e.methods[i].name},
                     {"kind", e.methods[i].kind()},
                     {"group", e.methods[i].group},
                     {"paths", r.paths},
                     {"lost", r.lost},
                     {"gradient_evaluations", r.gradients},
                     {"slow_time", r.slow_time.back()},
                     {"final", nlohmann::json::object()}};
    for (std::size_t q = 0; q < r.observables.size(); ++q) {
      const auto& v = r.values.back()[q];
      m["final"][r.observables[q]] = {{"mean", v.n > 0 ? nlohmann::json(v.mean) : nlohmann::json(nullptr)},
                                      {"standard_error", v.n > 1        ? v.standard_error()
                                                         : r.paths == 1 ? 0.0
                                                                        : std::nan("")}};
    }
    j["methods"].push_back(m);
  }
  j["pairs"] = pairs_json(e, paired);
  return j;
}

}  // namespace sde::cli
