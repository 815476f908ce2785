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

}  // namespace

void print_table(const experiment::Experiment& e, const std::vector<ensemble::MethodResult>& results) {
  std::size_t width = 6;
  for (const auto& m : e.methods) width = std::max(width, m.name.size());
  fmt::print("{}\n{} | paths with 95% intervals | slow time {} asked for\n\n", e.title, e.loss_name,
             e.observation.times.back());
  fmt::print("{:<{}}  {:>6} {:>7} {:>9}  {:<23}  {:<23}  {:>6} {:>5}\n", "method", width, "H", "alpha", "slow time",
             " tr Hess, start", " tr Hess, end", "paths", "lost");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    const auto& a = e.methods[i].algorithm;
    const bool limit = std::isinf(e.methods[i].dynamics->parameters(e.methods[i], a.rate.steps).alpha);
    const auto H = a.peak_steps_in_round();
    fmt::print("{:<{}}  {:>6} {:>7} {:>9}  {}  {}  {:>6} {:>5}\n", e.methods[i].name, width,
               limit ? "inf" : fmt::format("{}", H),
               limit ? "inf" : fmt::format("{:.3g}", a.rate.eta * static_cast<double>(H)),
               fmt::format("{:.6g}", r.slow_time.back()), interval(r.at(0, "trace_hessian"), r.paths),
               interval(r.at(r.values.size() - 1, "trace_hessian"), r.paths), r.paths, r.lost);
  }
}

nlohmann::json summary(const experiment::Experiment& e, const std::vector<ensemble::MethodResult>& results,
                       const std::string& dataset) {
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
  return j;
}

}  // namespace sde::cli
