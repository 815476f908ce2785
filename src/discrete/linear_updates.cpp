#include "sde/discrete/linear_updates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "sde/core/error.hpp"
#include "sde/formula/derivative.hpp"
#include "sde/formula/parse.hpp"

namespace sde::discrete {

namespace {

using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

struct Assignment {
  std::string slot, value;
};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// "w <- 0.9 w - eta g; x <- x + w"
std::vector<Assignment> assignments(const char* key, const std::string& text) {
  std::vector<Assignment> all;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(';', at), text.size());
    const auto one = trimmed(text.substr(at, end - at));
    at = end + 1;
    if (one.empty()) continue;
    const auto arrow = one.find("<-");
    if (arrow == std::string::npos)
      throw InputError(fmt::format("{}: '{}': expected an assignment SLOT <- EXPRESSION", key, one));
    const auto slot = trimmed(one.substr(0, arrow));
    if (const auto problem = formula::problem_with_name(slot); !problem.empty())
      throw InputError(fmt::format("{}: '{}': {}", key, slot, problem));
    if (slot == "g" || slot == "eta")
      throw InputError(fmt::format("{}: '{}' is no slot: expected another name", key, slot));
    all.push_back({slot, trimmed(one.substr(arrow + 2))});
  }
  return all;
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The coefficients of a linear expression in `names`, one of which may be "g": then that of eta g. `eta` is its value.
RowVectorXd coefficients(const char* key, const std::string& text, const std::vector<std::string>& names, double eta) {
  formula::Graph graph;
  formula::Names known;
  std::vector<formula::Id> inputs;
  for (std::size_t k = 0; k < names.size(); ++k) {
    inputs.push_back(graph.input(formula::Source::variable, static_cast<int>(k)));
    known.values[names[k]] = {{inputs.back()}};
  }
  known.values["eta"] = {{graph.constant(eta)}};
  formula::Id root;
  try {
    root = formula::parse(graph, known, text);
  } catch (const InputError& e) {
    throw InputError(fmt::format("{}: {}", key, e.what()));
  }
  RowVectorXd all(static_cast<Eigen::Index>(names.size()));
  const auto slopes = formula::gradient(graph, root, inputs);
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (!graph.is_constant(slopes[k]))
      throw InputError(fmt::format(
          "{}: '{}': expected a sum of slots and eta g with constant factors: not linear in {}", key, text, names[k]));
    all[static_cast<Eigen::Index>(k)] = graph[slopes[k]].value;
  }
  // What is left where every name is 0 has to be nothing.
  formula::Graph zero;
  formula::Names zeros;
  for (const auto& name : names) zeros.values[name] = {{zero.constant(0)}};
  zeros.values["eta"] = {{zero.constant(eta)}};
  if (!zero.is_constant(formula::parse(zero, zeros, text), 0))
    throw InputError(fmt::format("{}: '{}': expected a sum of slots and eta g, without a constant", key, text));
  return all;
}

/// A step of a worker at one eta, each assignment seeing those before it: [s][s + 1], the last column is the
/// gradient's.
MatrixXd step_at(const std::vector<Assignment>& list, const std::vector<std::string>& slots, double eta) {
  auto seen = slots;
  seen.push_back("g");
  const auto s = static_cast<Eigen::Index>(slots.size());
  MatrixXd rows = MatrixXd::Zero(s, s + 1);
  rows.leftCols(s).setIdentity();
  for (const auto& one : list) {
    const RowVectorXd c = coefficients("updates", one.value, seen, eta);
    RowVectorXd sum = c.head(s) * rows;
    sum[s] += c[s];
    rows.row(std::find(slots.begin(), slots.end(), one.slot) - slots.begin()) = sum;
  }
  return rows;
}

}  // namespace

slow::ExchangeableAlgorithm matrices_of(const LinearUpdates& u) {
  const auto updates = assignments("updates", u.updates), synchronize = assignments("synchronize", u.synchronize);
  std::vector<std::string> slots, all;
  for (const auto& one : updates) {
    if (among(u.shared, one.slot))
      throw InputError(fmt::format("updates: '{}' is a shared slot: expected it in synchronize alone", one.slot));
    if (!among(slots, one.slot)) slots.push_back(one.slot);
  }
  if (slots.empty()) throw InputError("updates: missing: expected, for example, \"w <- 0.9 w - eta g; x <- x + w\"");
  all = slots;
  all.insert(all.end(), u.shared.begin(), u.shared.end());
  for (const auto& name : u.momenta)
    if (!among(all, name))
      throw InputError(fmt::format("momentum_slots: '{}' is no slot: expected some of {}", name, fmt::join(all, ", ")));
  const auto s = static_cast<Eigen::Index>(slots.size()), q = static_cast<Eigen::Index>(u.shared.size());

  slow::ExchangeableAlgorithm e;
  e.workers = u.workers;
  e.steps = u.steps;
  e.eta = e.batch = 1;
  const MatrixXd once = step_at(updates, slots, 1), twice = step_at(updates, slots, 2);
  e.A = once.leftCols(s);
  e.C = -once.col(s);
  if ((twice.leftCols(s) - e.A).cwiseAbs().maxCoeff() > 1e-12 || (twice.col(s) + 2 * e.C).cwiseAbs().maxCoeff() > 1e-12)
    throw InputError(
        "updates: eta belongs to the gradient alone, and the gradient to eta: expected terms such as -eta g");
  if (e.C.isZero(0)) throw InputError("updates: the gradient g does not occur: expected a term such as -eta g");
  e.consensus = VectorXd::Ones(s + q);
  for (Eigen::Index k = 0; k < s + q; ++k)
    if (among(u.momenta, all[static_cast<std::size_t>(k)])) e.consensus[k] = 0;
  if (u.gradient_at.empty()) {
    Eigen::Index first = 0;
    while (first < s && e.consensus[first] == 0) ++first;
    if (first == s) throw InputError("momentum_slots: all slots are: expected an iterate, too");
    e.R = VectorXd::Unit(s, first);
  } else {
    e.R = coefficients("gradient_at", u.gradient_at, slots, 1).transpose();
  }

  // synchronize, with a worker's slots, the shared ones and the means: what a worker keeps of its own, and the rest.
  auto seen = all;
  auto texts = synchronize;
  const std::regex mean(R"(\bmean\s*\(\s*([A-Za-z]\w*)\s*\))");
  for (const auto& name : slots) seen.push_back("mean_" + name);
  for (auto& one : texts) one.value = std::regex_replace(one.value, mean, "mean_$1");
  MatrixXd rows = MatrixXd::Zero(s + q, s + q + s);
  rows.leftCols(s + q).setIdentity();
  // A mean is that of the slot as it is by now, too: the average of what workers have assigned, so columns of both.
  for (const auto& one : texts) {
    const auto row = static_cast<Eigen::Index>(std::find(all.begin(), all.end(), one.slot) - all.begin());
    if (row == s + q)
      throw InputError(fmt::format("synchronize: '{}' is no slot: expected one of {}", one.slot, fmt::join(all, ", ")));
    const RowVectorXd c = coefficients("synchronize", one.value, seen, 1);
    RowVectorXd sum = RowVectorXd::Zero(rows.cols());
    for (Eigen::Index k = 0; k < s + q; ++k) sum += c[k] * rows.row(k);
    for (Eigen::Index k = 0; k < s; ++k) {
      RowVectorXd average = rows.row(k);  // own parts become means
      average.tail(s) += average.head(s);
      average.head(s).setZero();
      sum += c[s + q + k] * average;
    }
    if (row >= s && !sum.head(s).isZero(0))
      throw InputError(
          fmt::format("synchronize: '{}' is kept once: expected the mean of a worker's slot there, mean({})", one.slot,
                      slots.front()));
    rows.row(row) = sum;
  }
  e.synchronize = rows.leftCols(s + q);
  e.synchronize.leftCols(s) += rows.rightCols(s);
  e.synchronize_apart = rows.topLeftCorner(s, s);
  return e;
}

}  // namespace sde::discrete
