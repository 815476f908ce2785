#include "pair_report.hpp"

#include <fmt/format.h>

#include "json_number.hpp"
#include "table.hpp"

namespace sde::cli {

namespace {

template <class Cell>
std::vector<std::string> cells(const experiment::PairResults& paired, Cell cell) {
  std::vector<std::string> all;
  paired.for_each_theory([&](const auto&... of) { all.push_back(cell(of...)); });
  return all;
}

}  // namespace

std::size_t last_place(const experiment::Pair& pair) {
  auto t = pair.place.size() - 1;
  while (t > 0 && pair.place[t] < 0) --t;
  return t;
}

void print_pairs(const experiment::Experiment& e, const experiment::PairResults& paired) {
  if (paired.pairs.empty()) return;
  const auto names = experiment::pair_observables(e);
  std::vector<std::size_t> columns{0};  // tr Hess, and the first of those that the file asks for
  for (std::size_t q = names.size() - e.observation.asked_for(); q < names.size() && columns.size() < 3; ++q)
    columns.push_back(q);
  Table table;
  table.add("method", Table::Align::left, cells(paired, [&](const auto& pair, const auto&, std::size_t p) {
              return e.methods[pair.theory.size() == 1 ? pair.algorithm : pair.theory[p]].name;
            }));
  table.add("slow time", Table::Align::right, cells(paired, [](const auto& pair, const auto& r, std::size_t p) {
              return fmt::format("{:.5g}", difference(pair, r, p, last_place(pair), 0).slow_time);
            }));
  for (const auto q : columns)
    table.add(q == 0 ? " tr Hess" : " " + names[q], Table::Align::left,
              cells(paired, [q](const auto& pair, const auto& r, std::size_t p) {
                const auto x = difference(pair, r, p, last_place(pair), q);
                return fmt::format("{:10.2g} +- {:.2g}{}", x.mean, 1.96 * x.standard_error,
                                   r.lost > 0 ? " (survivors: biased)" : "");
              }));
  const auto count = [&](const char* title, auto of) {
    table.add(title, Table::Align::right,
              cells(paired, [&](const auto&, const auto& r, std::size_t) { return fmt::format("{}", of(r)); }));
  };
  count("paths", [](const auto& r) { return r.paths; });
  count("lost", [](const auto& r) { return r.lost; });
  fmt::print("\nalgorithm - slow SDE on common noise, at the end\n");
  table.print();
}

nlohmann::json pairs_json(const experiment::Experiment& e, const experiment::PairResults& paired) {
  auto all = nlohmann::json::array();
  const auto names = experiment::pair_observables(e);
  paired.for_each_theory([&](const auto& pair, const auto& r, std::size_t p) {
    const auto t = last_place(pair);
    nlohmann::json j{{"algorithm", e.methods[pair.algorithm].name},
                     {"theory", e.methods[pair.theory[p]].name},
                     {"slow_time", difference(pair, r, p, t, 0).slow_time},
                     {"paths", r.paths},
                     {"lost", r.lost},
                     {"biased", r.lost > 0},
                     {"gradient_evaluations", r.gradients},
                     {"difference", nlohmann::json::object()}};
    for (std::size_t q = 0; q < names.size(); ++q) {
      const auto x = difference(pair, r, p, t, q);
      j["difference"][names[q]] = {{"mean", number(x.mean)},
                                   {"standard_error", number(x.standard_error)},
                                   {"time_step_error", number(x.step_error)}};
    }
    all.push_back(std::move(j));
  });
  return all;
}

}  // namespace sde::cli
