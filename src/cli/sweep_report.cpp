#include "sweep_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sde::cli {

namespace {

std::string interval(double mean, double error, double paths) {
  if (std::isnan(mean)) return fmt::format("{:>10}            ", "failed");
  if (paths == 1) return fmt::format("{:10.5f}            ", mean);
  return fmt::format("{:10.5f} +- {:.5f}", mean, 1.96 * error);
}

/// Of an algorithm, with the first of its slow SDEs; empty without one.
std::string difference(const experiment::CellSummary& cell, std::size_t method) {
  for (std::size_t p = 0; p < cell.pairs.size(); ++p)
    if (cell.pairs[p].algorithm == method && !std::isnan(cell.difference[p]))
      return fmt::format("{:10.2g} +- {:.2g}", cell.difference[p], 1.96 * cell.difference_error[p]);
  return "";
}

}  // namespace

void print_table(const SweepReport& r) {
  std::vector<std::size_t> widths;
  for (const auto& a : r.sweep.axes) {
    widths.push_back(a.label.size());
    for (const auto& v : a.values) widths.back() = std::max(widths.back(), v.shown().size());
  }
  std::size_t width = 6;
  for (const auto& name : r.runs) width = std::max(width, name.size());
  fmt::print("{}\n{} cells | paths with 95% intervals\n", r.title, r.cells.size());
  fmt::print("{}\n", r.gamma.empty() ? "" : fmt::format("Gamma at the start: {}\n", r.gamma));
  for (std::size_t i = 0; i < widths.size(); ++i) fmt::print("{:>{}}  ", r.sweep.axes[i].label, widths[i]);
  const bool paired = std::any_of(r.cells.begin(), r.cells.end(), [](const auto& c) { return !c.pairs.empty(); });
  fmt::print("{:<{}}  {:>9}  {:<23}  {}{:>6} {:>5}\n", "method", width, "slow time", " tr Hess, end",
             paired ? fmt::format("{:<23}  ", " - slow SDE, same noise") : "", "paths", "lost");
  for (std::size_t c = 0; c < r.cells.size(); ++c) {
    const auto& cell = r.cells[c];
    const auto numbers = r.sweep.at(c);
    const auto sharpness = static_cast<std::size_t>(
        std::find(cell.observables.begin(), cell.observables.end(), "trace_hessian") - cell.observables.begin());
    for (std::size_t m = 0; m < r.runs.size(); ++m) {
      for (std::size_t i = 0; i < widths.size(); ++i)
        fmt::print("{:>{}}  ", r.sweep.axes[i].values[numbers[i]].shown(), widths[i]);
      fmt::print("{:<{}}  {:>9.5g}  {}  {}{:>6} {:>5}\n", r.runs[m], width, cell.slow_time[m],
                 interval(cell.mean[m][sharpness], cell.standard_error[m][sharpness], cell.paths[m]),
                 paired ? fmt::format("{:<23}  ", difference(cell, m)) : "", cell.paths[m], cell.lost[m]);
    }
  }
}

nlohmann::json to_json(const SweepReport& r) {
  nlohmann::json j{{"title", r.title},
                   {"dataset", r.dataset},
                   {"mode", r.sweep.zip ? "zip" : "product"},
                   {"keys", nlohmann::json::object()},
                   {"cells", nlohmann::json::array()}};
  for (const auto& a : r.sweep.axes) j["keys"][a.label] = a.key;
  for (std::size_t c = 0; c < r.cells.size(); ++c) {
    const auto& cell = r.cells[c];
    const auto numbers = r.sweep.at(c);
    nlohmann::json one{{"values", nlohmann::json::object()}, {"methods", nlohmann::json::array()}};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto& value = r.sweep.axes[i].values[numbers[i]];
      one["values"][r.sweep.axes[i].label] =
          value.number ? nlohmann::json(*value.number) : nlohmann::json(value.shown());
    }
    for (std::size_t m = 0; m < r.runs.size(); ++m) {
      nlohmann::json method{{"name", cell.run[m]},
                            {"run", r.runs[m]},
                            {"kind", cell.kind[m]},
                            {"group", cell.group[m]},
                            {"paths", cell.paths[m]},
                            {"lost", cell.lost[m]},
                            {"gradient_evaluations", cell.gradients[m]},
                            {"slow_time", cell.slow_time[m]},
                            {"failure", cell.failure[m]},
                            {"final", nlohmann::json::object()}};
      for (std::size_t q = 0; q < cell.observables.size(); ++q)
        method["final"][cell.observables[q]] = {{"mean", cell.mean[m][q]},
                                                {"standard_error", cell.standard_error[m][q]}};
      one["methods"].push_back(method);
    }
    for (std::size_t p = 0; p < cell.pairs.size(); ++p)
      one["pairs"].push_back({{"algorithm", r.runs[cell.pairs[p].algorithm]},
                              {"theory", r.runs[cell.pairs[p].theory]},
                              {"trace_hessian", cell.difference[p]},
                              {"standard_error", cell.difference_error[p]}});
    j["cells"].push_back(one);
  }
  return j;
}

std::vector<std::string> failures_of(const SweepReport& r) {
  std::vector<std::string> lines;
  for (std::size_t c = 0; c < r.cells.size(); ++c) {
    std::string of_cell;
    for (std::size_t m = 0; m < r.runs.size(); ++m)
      if (!r.cells[c].failure[m].empty())
        of_cell += fmt::format("{}{}: {}", of_cell.empty() ? "" : "; ", r.cells[c].run[m], r.cells[c].failure[m]);
    if (!of_cell.empty())
      lines.push_back(fmt::format("cell {} of {} ({}): {}", c + 1, r.cells.size(), r.sweep.describe(c), of_cell));
  }
  return lines;
}

}  // namespace sde::cli
