#include "sde/formula/loss_system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "polynomial_factor.hpp"
#include "sde/core/error.hpp"
#include "sde/formula/derivative.hpp"

namespace sde::formula {

namespace {

/// Up to here the Hessian of a loss is one program; beyond, a product with each unit vector.
constexpr int kMostDense = 8;

std::size_t at(int k) { return static_cast<std::size_t>(k); }

std::vector<Id> inputs(Graph& g, Source source, int count) {
  std::vector<Id> all;
  for (int k = 0; k < count; ++k) all.push_back(g.input(source, k));
  return all;
}

std::vector<Output> outputs(const std::vector<Id>& roots, bool sum = false) {
  std::vector<Output> all;
  for (const Id root : roots) all.push_back({root, static_cast<int>(all.size()), sum});
  return all;
}

/// 1/2 sum f_i^2 / n
Id half_mean_square(LossSystem& s) {
  Graph& g = s.graph;
  Id sum = g.constant(0);
  for (const Id f : s.residuals) sum = g.add(sum, g.power(f, 2));
  const Id n = g.input(Source::parameter, static_cast<int>(s.parameters.size()) - 1);
  return g.multiply(g.multiply(g.constant(0.5), g.power(n, -1)), sum);
}

void squared_programs(LossSystem& s, LossPrograms& p, const std::vector<Id>& theta, const std::vector<Id>& u) {
  Graph& g = s.graph;
  const int m = static_cast<int>(s.residuals.size()), d = s.dim();
  p.residuals = lower(g, p.scalars, outputs(s.residuals), s.by_row, m);
  std::vector<Id> rows;
  for (const Id f : s.residuals)
    for (const Id slope : gradient(g, f, theta)) rows.push_back(slope);
  p.jacobian = lower(g, p.scalars, outputs(rows), s.by_row, m * d);
  Id weighted = g.constant(0);
  for (int i = 0; i < m; ++i) weighted = g.add(weighted, g.multiply(g.input(Source::weight, i), s.residuals[at(i)]));
  const auto pullback = gradient(g, weighted, theta);
  p.pullback = lower(g, p.scalars, outputs(pullback, true), s.by_row);
  p.weighted_hvp = lower(g, p.scalars, outputs(along(g, pullback, theta, u), true), s.by_row);
  s.slopes = gradient(g, half_mean_square(s), theta);
  p.gradient = lower(g, p.scalars, outputs(s.slopes, true), s.by_row);
  if (m == 1 && !s.by_row)
    if (const auto curve = quadratic_factor(g, s.residuals.front(), theta)) {
      const Id slope = along(g, {*curve}, theta, u).front(), half = g.constant(0.5);
      const Id second = along(g, {slope}, theta, u).front();
      p.intersection = lower(g, p.scalars, outputs({g.multiply(half, second), g.multiply(half, slope), *curve}), false);
    }
}

void value_programs(LossSystem& s, LossPrograms& p, const std::vector<Id>& theta, const std::vector<Id>& u) {
  Graph& g = s.graph;
  p.value = lower(g, p.scalars, outputs({s.value}), false);
  const auto first = s.slopes = gradient(g, s.value, theta);
  p.gradient = lower(g, p.scalars, outputs(first), false);
  const auto second = along(g, first, theta, u);
  p.hessian_vector = lower(g, p.scalars, outputs(second), false);
  p.third_along = lower(g, p.scalars, outputs(along(g, second, theta, u)), false);
  if (s.dim() > kMostDense) return;
  std::vector<Id> rows;
  for (const Id slope : first)
    for (const Id entry : gradient(g, slope, theta)) rows.push_back(entry);
  for (int i = 0; i < s.dim(); ++i)  // one of two entries that are the same
    for (int j = 0; j < i; ++j) rows[at(i * s.dim() + j)] = rows[at(j * s.dim() + i)];
  p.hessian = lower(g, p.scalars, outputs(rows), false);
}

/// A node's value from those of what it is made of.
double value_of(const Node& n, const std::vector<double>& v) {
  switch (n.op) {
    case Op::add:
      return v[at(n.first)] + v[at(n.second)];
    case Op::subtract:
      return v[at(n.first)] - v[at(n.second)];
    case Op::multiply:
      return v[at(n.first)] * v[at(n.second)];
    case Op::power:
      return apply_power(v[at(n.first)], n.value);
    default:
      return apply(n.op, v[at(n.first)]);
  }
}

/// The value of every node that is needed; `input` gives the inputs'.
template <class Input>
std::vector<double> values_of(const Graph& g, const std::vector<bool>& needed, Input input) {
  std::vector<double> v(needed.size(), 0.0);
  for (Id id = 0; id < static_cast<Id>(needed.size()); ++id) {
    if (!needed[at(id)]) continue;
    const Node& n = g[id];
    v[at(id)] = n.op == Op::constant ? n.value : n.op == Op::input ? input(n) : value_of(n, v);
  }
  return v;
}

/// The first node that is not finite: what it is made of comes before it.
std::optional<Id> first_not_finite(const std::vector<bool>& needed, const std::vector<double>& v) {
  for (Id id = 0; id < static_cast<Id>(needed.size()); ++id)
    if (needed[at(id)] && !std::isfinite(v[at(id)])) return id;
  return std::nullopt;
}

std::string named(const LossSystem& s, Id id, double value) {
  constexpr std::size_t kMost = 60;
  return fmt::format("{} is {}", print(s.graph, id, s.variables, s.parameters, s.columns, kMost), value);
}

}  // namespace

LossPrograms programs_of(LossSystem& s) {
  LossPrograms p;
  p.dim = s.dim();
  p.residuals_per_row = static_cast<int>(s.residuals.size());
  const auto theta = inputs(s.graph, Source::variable, s.dim()), u = inputs(s.graph, Source::direction, s.dim());
  if (s.squared())
    squared_programs(s, p, theta, u);
  else
    value_programs(s, p, theta, u);
  return p;
}

Numbers numbers_of(const LossSystem& s, const LossPrograms& p, const std::vector<double>& parameters,
                   const std::vector<double>& data) {
  Numbers numbers;
  numbers.per_row = static_cast<int>(p.scalars.columns.size());
  const std::size_t width = s.columns.size();
  numbers.rows = s.by_row ? static_cast<int>(data.size() / width) : 1;
  const auto of = [&](const std::vector<Id>& wanted, const std::vector<bool>& needed, const double* row,
                      std::vector<double>& out) {
    const auto v = values_of(s.graph, needed, [&](const Node& n) {
      return n.source == Source::parameter ? parameters[at(n.first)] : row[n.first];
    });
    for (const Id id : wanted) {
      if (!std::isfinite(v[at(id)])) {
        const Id cause = *first_not_finite(needed, v);
        throw InputError(named(s, cause, v[at(cause)]) + ", which no theta changes");
      }
      out.push_back(v[at(id)]);
    }
  };
  of(p.scalars.constants, reachable(s.graph, p.scalars.constants), nullptr, numbers.constants);
  if (p.scalars.columns.empty()) return numbers;
  const auto of_rows = reachable(s.graph, p.scalars.columns);
  for (int r = 0; r < numbers.rows; ++r) of(p.scalars.columns, of_rows, data.data() + at(r) * width, numbers.columns);
  return numbers;
}

std::string not_finite(const LossSystem& s, const std::vector<double>& parameters, const std::vector<double>& data,
                       const std::vector<double>& theta) {
  auto roots = s.squared() ? s.residuals : std::vector<Id>{s.value};
  roots.insert(roots.end(), s.slopes.begin(), s.slopes.end());
  const auto needed = reachable(s.graph, roots);
  const std::size_t width = s.columns.size(), rows = s.by_row ? data.size() / width : 1;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto v = values_of(s.graph, needed, [&](const Node& n) {
      const auto k = at(n.first);
      return n.source == Source::parameter ? parameters[k]
             : n.source == Source::column  ? data[r * width + k]
                                           : theta[k];
    });
    if (const auto id = first_not_finite(needed, v))
      return named(s, *id, v[at(*id)]) + (s.by_row ? fmt::format(" for row {} of the data", r + 1) : "");
  }
  return "";
}

}  // namespace sde::formula
