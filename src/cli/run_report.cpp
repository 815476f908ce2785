#include "run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../experiment/communication.hpp"
#include "../experiment/method_names.hpp"
#include "finite_eta.hpp"
#include "gamma_report.hpp"
#include "pair_report.hpp"
#include "sde/model/point_model.hpp"
#include "table.hpp"

namespace sde::cli {

namespace {

using ensemble::MethodResult;
using experiment::Experiment;

/// A mean with its 95% interval; of a row that lost paths, that it is of the others.
std::string interval(const stats::Moments& m, long paths) {
  if (m.n == 0) return "no path left";
  if (paths == 1) return fmt::format("{:10.5f}", m.mean);
  const bool biased = m.n < static_cast<double>(paths);
  return fmt::format("{:10.5f} +- {:.5f}{}", m.mean, 1.96 * m.standard_error(), biased ? " (survivors: biased)" : "");
}

/// Whether the row is a limit of long rounds, which has no H and no alpha.
bool limit(const ensemble::Method& m) { return std::isinf(m.dynamics->parameters(m, m.algorithm.rate.steps).alpha); }

/// Rounds of communication; null for an SDE, which has none.
nlohmann::json communication(const ensemble::Method& m, const MethodResult& r) {
  const auto rounds = experiment::communication_rounds(m, r.slow_time.back());
  return rounds ? nlohmann::json(*rounds) : nlohmann::json(nullptr);
}

/// A cell of every row.
template <class Cell>
std::vector<std::string> cells(const Experiment& e, Cell cell) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < e.methods.size(); ++i) all.push_back(cell(i));
  return all;
}

void add_settings(Table& table, const Experiment& e, const std::vector<MethodResult>& results) {
  table.add("eta", Table::Align::right,
            cells(e, [&](std::size_t i) { return fmt::format("{}", e.methods[i].algorithm.rate.eta); }));
  const auto H = [&](std::size_t i) { return e.methods[i].algorithm.peak_steps_in_round(); };
  table.add("H", Table::Align::right,
            cells(e, [&](std::size_t i) { return limit(e.methods[i]) ? "limit" : fmt::format("{}", H(i)); }));
  table.add("alpha", Table::Align::right, cells(e, [&](std::size_t i) {
              const double eta = e.methods[i].algorithm.rate.eta;
              return limit(e.methods[i]) ? "limit" : fmt::format("{:.3g}", eta * static_cast<double>(H(i)));
            }));
  table.add("rounds", Table::Align::right, cells(e, [&](std::size_t i) {
              const auto rounds = communication(e.methods[i], results[i]);
              return rounds.is_null() ? std::string() : rounds.dump();
            }));
  for (const auto& key : differing_keys(e.methods, e.settings)) {
    if (key == "eta" || key == "H" || key == "paths") continue;  // they have columns of their own
    table.add(key, Table::Align::right, cells(e, [&](std::size_t i) {
                const auto* value = find(e.settings[i], key);
                return value ? value->text() : std::string();
              }));
  }
}

void add_values(Table& table, const Experiment& e, const std::vector<MethodResult>& results) {
  const auto add = [&](const std::string& title, const std::string& observable, bool end) {
    table.add(" " + title, Table::Align::left, cells(e, [&](std::size_t i) {
                const auto& r = results[i];
                return interval(r.at(end ? r.values.size() - 1 : 0, observable), r.paths);
              }));
  };
  add("tr Hess, start", "trace_hessian", false);
  add("tr Hess, end", "trace_hessian", true);
  if (e.problem.model->at_points()) add("loss, end", "loss", true);
  if (e.problem.model->has_test_error()) add("test error, end", "test_error", true);
}

/// Least and most where the paths were observed; null where a device observed them.
nlohmann::json rank_of(const ensemble::SpectrumRange& s) {
  return s.points > 0 ? nlohmann::json{s.least_rank, s.most_rank} : nlohmann::json(nullptr);
}

/// What the table's numbers do not say.
void print_remarks(const Experiment& e, const std::vector<MethodResult>& results,
                   const experiment::PairResults& paired) {
  const auto lost = [](const auto& all) {
    return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.lost > 0; });
  };
  if (lost(results) || lost(paired.results))
    fmt::print(
        "\nbiased: paths were lost, and the mean is over the survivors; the lost ones took the largest steps, so it is "
        "not the mean of all, and its interval does not hold that.\n");
  const auto errors = finite_eta_errors(e, results, paired);
  if (errors.empty()) return;
  fmt::print("\n");
  for (const auto& error : errors)
    fmt::print("{} ends {:.3g} {} {}: {}\n", error.algorithm, std::abs(error.difference),
               error.difference > 0 ? "above" : "below", error.theory,
               error.standard_error > 0 ? fmt::format("{:.0f} times the 95% interval", error.intervals())
                                        : std::string("both without noise"));
  fmt::print(
      "So far apart, it is not sampling but the error of a finite eta: `sde verify {}` measures it, and how it falls "
      "with eta.\n",
      e.file);
}

}  // namespace

void print_table(const Experiment& e, const std::optional<manifold::Findings>& gamma,
                 const std::vector<MethodResult>& results, const experiment::PairResults& paired) {
  fmt::print("{}\n{} | paths with 95% intervals | slow time {} asked for\n{}\n\n", e.title, e.loss_name,
             e.observation.times.back(),
             gamma ? "Gamma at the start: " + manifold::describe(*gamma) : e.problem.model->at_points()->describe());
  Table table;
  table.add("method", Table::Align::left, cells(e, [&](std::size_t i) { return e.methods[i].name; }));
  add_settings(table, e, results);
  table.add("slow time", Table::Align::right,
            cells(e, [&](std::size_t i) { return fmt::format("{:.6g}", results[i].slow_time.back()); }));
  add_values(table, e, results);
  table.add("paths", Table::Align::right, cells(e, [&](std::size_t i) { return fmt::format("{}", results[i].paths); }));
  table.add("lost", Table::Align::right, cells(e, [&](std::size_t i) { return fmt::format("{}", results[i].lost); }));
  table.print();
  print_pairs(e, paired);
  print_remarks(e, results, paired);
}

nlohmann::json summary(const Experiment& e, const std::optional<manifold::Findings>& gamma,
                       const std::vector<MethodResult>& results, const experiment::PairResults& paired,
                       const std::string& dataset) {
  nlohmann::json j{{"title", e.title},
                   {"dataset", dataset},
                   {"seed", e.seed},
                   {"gamma", gamma ? to_json(*gamma) : nlohmann::json(nullptr)},
                   {"methods", nlohmann::json::array()}};
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    nlohmann::json m{{"name", e.methods[i].name},
                     {"kind", e.methods[i].kind()},
                     {"group", e.methods[i].group},
                     {"keys", nlohmann::json::object()},
                     {"paths", r.paths},
                     {"lost", r.lost},
                     {"biased", r.lost > 0},
                     {"gradient_evaluations", r.gradients},
                     {"communication_rounds", communication(e.methods[i], r)},
                     {"slow_time", r.slow_time.back()},
                     {"hessian_rank", rank_of(r.spectra)},
                     {"final", nlohmann::json::object()}};
    for (const auto& key : e.settings[i]) std::visit([&](const auto& v) { m["keys"][key.name] = v; }, key.value);
    for (std::size_t q = 0; q < r.observables.size(); ++q) {
      const auto& v = r.values.back()[q];
      m["final"][r.observables[q]] = {{"mean", v.n > 0 ? nlohmann::json(v.mean) : nlohmann::json(nullptr)},
                                      {"standard_error", v.n > 1        ? v.standard_error()
                                                         : r.paths == 1 ? 0.0
                                                                        : std::nan("")},
                                      {"biased", v.n < static_cast<double>(r.paths)}};
    }
    j["methods"].push_back(m);
  }
  j["pairs"] = pairs_json(e, paired);
  j["finite_eta_errors"] = nlohmann::json::array();
  for (const auto& error : finite_eta_errors(e, results, paired))
    j["finite_eta_errors"].push_back({{"algorithm", error.algorithm},
                                      {"theory", error.theory},
                                      {"observable", "trace_hessian"},
                                      {"difference", error.difference},
                                      {"standard_error", error.standard_error}});
  return j;
}

}  // namespace sde::cli
